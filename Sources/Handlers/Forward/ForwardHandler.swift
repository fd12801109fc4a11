public import DynamicEvents
public import Foundation
internal import FoundationNetworking

/// The handler of kind `forward`: posts each event's body, byte for byte as Dynamic signed it, signed anew as Standard Webhooks has it.
///
/// `webhook-id` is the event's id in every attempt, so that the receiver can tell a repetition. An answer of 2xx means done and 410 that no
/// other attempt will help; after any other, or none, the event comes again, not before `Retry-After` if the answer has it. Redirects are
/// not followed: they would take the event to somebody who was not asked for.
///
/// The client obeys `http_proxy` and its like. A process that does not want that sets `NO_PROXY=*` before it starts threads, as
/// `revoked serve` does.
public final class ForwardHandler: EventHandler {
  private let url: URL
  private let secrets: [WebhookSecret]
  private let answers = ForwardAnswers()
  private let session: URLSession

  /// - Parameter secrets: each signs each delivery, so that the receiver may change from one to the next.
  public init(_ url: URL, secrets: [WebhookSecret]) {
    self.url = url
    self.secrets = secrets
    let configuration = URLSessionConfiguration.ephemeral
    configuration.httpCookieStorage = nil
    configuration.urlCache = nil
    configuration.urlCredentialStorage = nil
    // The attempt's own deadline cancels it, at most a day after its begin.
    configuration.timeoutIntervalForRequest = 86_400
    // As many as attempts at the same time.
    configuration.httpMaximumConnectionsPerHost = 256
    session = URLSession(configuration: configuration, delegate: answers, delegateQueue: nil)
  }

  deinit {
    // Until then a session keeps its delegate and its connections.
    session.finishTasksAndInvalidate()
  }

  /// Throws `Undeliverable` for 410, `RetryLater` for a failure with `Retry-After`, and any other failure as itself.
  public func handle(_ event: Event) async throws {
    let answer = try await answers.answer(to: session.dataTask(with: request(for: event, at: Date())))
    switch answer.statusCode {
    case 200...299: return
    case 410: throw Undeliverable("the endpoint wants no more of it (410)")
    case let status:
      let reason = "the endpoint answered \(status)"
      if let pause = RetryAfter.pause(answer.value(forHTTPHeaderField: "Retry-After"), now: Date()) {
        throw RetryLater(reason, after: pause)
      }
      throw ForwardFailure(reason)
    }
  }

  private func request(for event: Event, at time: Date) throws -> URLRequest {
    let id = try event.deliveryID
    let seconds = Int64(time.timeIntervalSince1970)
    var request = URLRequest(url: url)
    request.httpMethod = "POST"
    request.httpBody = Data(event.body)
    request.setValue("application/json", forHTTPHeaderField: "Content-Type")
    request.setValue("revoked", forHTTPHeaderField: "User-Agent")
    // Nobody reads the answer's body, so nobody should pack it.
    request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
    request.setValue(id, forHTTPHeaderField: "webhook-id")
    request.setValue("\(seconds)", forHTTPHeaderField: "webhook-timestamp")
    let signatures = try secrets.map { try $0.signature(of: id, at: seconds, event.body) }
    request.setValue(signatures.joined(separator: " "), forHTTPHeaderField: "webhook-signature")
    return request
  }
}
