import Foundation
import Receiver
import ServiceLifecycle

/// Ends the connections of a session that was revoked. Here it only says so.
struct CloseConnections: EventHandler {
  let logger: Logger

  func handle(_ event: Event) async throws {
    guard case .sessionRevoked(let session, by: _) = event.payload else { return }
    // Throw, and the event comes again; throw `Undeliverable`, and it does not.
    logger.notice("closing the connections of a session", metadata: ["sessionId": "\(session.id)"])
  }
}

// `run` is all that a service needs.
extension Receiver: @retroactive Service {}

let logger = Logger(label: "example")
let environment = ProcessInfo.processInfo.environment
var configuration = ReceiverConfiguration(secrets: [try Secret(environment["DYNAMIC_WEBHOOK_SECRET"] ?? "")])
configuration.data = environment["DATA"] ?? "./data"
configuration.listen = .tcp(host: "127.0.0.1", port: 0)
// This program asks `receiver.isRevoked(_:)` and needs no other way.
configuration.hasPrivateListener = false

let receiver = try Receiver(
  configuration, handlers: [HandlerRegistration("connections", handler: CloseConnections(logger: logger))],
  logger: logger)
logger.notice("listening", metadata: ["address": "\(receiver.address)"])

// A web server would be another service of the group, and ask before it lets a request pass.
try await ServiceGroup(services: [receiver], cancellationSignals: [.sigterm, .sigint], logger: logger).run()
