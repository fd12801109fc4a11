import DynamicEvents
import HTTPServer
import Handlers
import Logging
import Receiver
import Signature

// What a program needs that receives revocations itself: a handler, and a receiver that has it.

struct DropConnections: EventHandler {
  let drop: @Sendable (SessionID) async throws -> Void

  func handle(_ event: Event) async throws {
    guard case .sessionRevoked(let session, by: _) = event.payload else { return }
    // Throw, and the event comes again; throw `Undeliverable`, and it does not.
    try await drop(session.id)
  }
}

func exampleReceiver(
  secret: String, data: String, drop: @escaping @Sendable (SessionID) async throws -> Void
) throws -> Receiver {
  var configuration = ReceiverConfiguration(secrets: [try Secret(secret)])
  configuration.data = data
  configuration.listen = .tcp(host: "127.0.0.1", port: 0)
  configuration.privateListen = .tcp(host: "127.0.0.1", port: 0)
  let handlers = [HandlerRegistration("connections", handler: DropConnections(drop: drop))]
  let receiver = try Receiver(configuration, handlers: handlers, logger: Logger(label: "example"))
  receiver.start()
  return receiver
}
