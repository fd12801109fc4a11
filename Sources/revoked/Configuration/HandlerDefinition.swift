internal import Foundation
internal import Handlers

/// A handler as the configuration names it, complete and checked. Building one is somebody else's work.
struct HandlerDefinition: Sendable {
  enum Kind: Sendable {
    /// One structured line for each event.
    case log
    /// A command without a shell, the event's JSON on its standard input.
    case exec(program: String, arguments: [String])
    /// A signed `POST`. Plain `http` only to an address of this host or of a private network, or asked for by name (`insecure`).
    case forward(url: URL, secrets: [WebhookSecret])
  }

  /// `[a-z0-9][a-z0-9-]{0,62}`; it names the handler's queue, its metrics and its dead letters, so it should not change.
  let name: String
  let kind: Kind
  /// Event names; a pattern ends in `*`.
  let events: [String]
  /// Of one attempt.
  let timeout: Duration
  /// Attempts at the same time.
  let concurrency: Int
  /// Before the event becomes a dead letter.
  let maxAttempts: Int

  /// nil: an event that could not be decoded, which nobody gets.
  func wants(_ eventName: String?) -> Bool {
    guard let eventName else { return false }
    return events.contains { EventPattern($0).matches(eventName) }
  }
}
