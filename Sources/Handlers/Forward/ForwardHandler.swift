public import DynamicEvents
public import Foundation
internal import Outgoing

/// The handler of kind `forward`: posts each event's body, byte for byte as Dynamic signed it, signed anew as Standard
/// Webhooks has it.
///
/// `webhook-id` is the event's id in every attempt, so that the receiver can tell a repetition. An answer of 2xx means
/// done and 410 that no other attempt will help; after any other, or none, the event comes again, not before
/// `Retry-After` if the answer has it. Redirects are not followed: they would take the event to a host that is not
/// configured. Proxies that the environment names are not used.
public final class ForwardHandler: EventHandler, SuspendingHandler {
  /// How many descriptors an attempt has at most: its connection and, while a name is looked up, a pair and two sockets
  /// more.
  package static let descriptors = 5

  private let secrets: [WebhookSecret]
  /// What all requests have in common.
  private let request: OutgoingRequest

  /// - Parameters:
  ///   - secrets: each signs each delivery, so that the receiver may change from one to the next.
  ///   - authorities: a file with the certificate authorities to trust instead of the system's.
  public init(_ url: URL, secrets: [WebhookSecret], authorities: String? = nil) {
    self.secrets = secrets
    var request = OutgoingRequest(.post, url.absoluteString)
    request.authorities = authorities
    // The attempt's own deadline cancels it, at most a day after its begin.
    request.limits.time = .seconds(86_400)
    request.limits.keepsBody = false
    request.fields = [
      ("Content-Type", "application/json"), ("User-Agent", "revoked"),
      // The body of the answer is not read, so it need not be compressed.
      ("Accept-Encoding", "identity"),
    ]
    self.request = request
  }

  /// Throws `Undeliverable` for 410, `RetryLater` for a failure with `Retry-After`, and any other failure as itself.
  public func handle(_ event: Event) async throws {
    let request = try request(for: event, at: Date())
    let response: OutgoingResponse
    do throws(OutgoingError) {
      response = try await HTTPClient.shared.response(to: request)
    } catch {
      throw error.isCancelled ? CancellationError() : ForwardFailure("the request failed: \(error)")
    }
    switch response.status {
    // Whether the body was whole or not: the answer to the delivery stands in the head.
    case 200...299: return
    case 410: throw Undeliverable("the endpoint wants no more of it (410)")
    case let status:
      let reason = "the endpoint answered \(status)"
      if let pause = RetryAfter.pause(response.value(of: "Retry-After"), now: Date()) {
        throw RetryLater(reason, after: pause)
      }
      throw ForwardFailure(reason)
    }
  }

  private func request(for event: Event, at time: Date) throws -> OutgoingRequest {
    let id = try event.webhookID
    let seconds = Int64(time.timeIntervalSince1970)
    let signatures = try secrets.map { try $0.signature(of: id, at: seconds, event.body) }
    var request = request
    request.body = event.body
    request.fields += [
      ("webhook-id", id), ("webhook-timestamp", "\(seconds)"),
      ("webhook-signature", signatures.joined(separator: " ")),
    ]
    return request
  }
}

/// Why a delivery was not taken.
struct ForwardFailure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }
}
