internal import Foundation
internal import Signature

/// A handler as the configuration names it, complete and checked. Building one is somebody else's work.
struct HandlerDefinition: Sendable {
  enum Kind: Sendable {
    /// One structured line for each event.
    case log
    /// A command without a shell, the event's JSON on its standard input.
    case exec(program: String, arguments: [String])
    /// A signed `POST`. Plain `http` was asked for by name (`insecure`) if the URL has it.
    case forward(url: URL, secret: Secret)
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
}
