public import DynamicEvents
public import Logging

/// The handler of kind `log`: one structured line for each event. What the payload says of a person (IP address, user
/// agent) stays out.
public struct LoggingHandler: EventHandler, SuspendingHandler {
  private let logger: Logger
  private let deliver: @Sendable (_ write: () -> Void) async throws -> Void
  /// Another's logger or `flush` may block.
  package let suspends: Bool

  /// How many lines may wait for one flush.
  package static let concurrency = 64

  /// `flush` returns when the line is where it should be, and throws when it was lost: an event whose line is still in
  /// a buffer does not count as logged.
  public init(logger: Logger, flush: @escaping @Sendable () async throws -> Void = {}) {
    self.logger = logger
    suspends = false
    deliver = { write in
      write()
      try await flush()
    }
  }

  /// - Parameter deliver: calls `write` before it suspends, and returns when the line is where it should be. Several
  ///   lines may be under way.
  package init(logger: Logger, deliver: @escaping @Sendable (_ write: () -> Void) async throws -> Void) {
    self.logger = logger
    suspends = true
    self.deliver = deliver
  }

  public func handle(_ event: Event) async throws {
    var metadata: Logger.Metadata = ["event": "\(event.envelope.eventName)"]
    if let id = event.envelope.eventId { metadata["eventId"] = "\(id)" }
    if let time = event.envelope.timestamp { metadata["occurredAt"] = "\(time)" }
    if case .sessionRevoked(let session, let by) = event.payload {
      metadata["sessionId"] = "\(session.id)"
      metadata["by"] = "\(by.rawValue)"
      if let time = session.revokedAt { metadata["revokedAt"] = "\(time)" }
    }
    try await deliver { logger.notice("event", metadata: metadata) }
  }
}
