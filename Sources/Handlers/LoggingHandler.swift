public import DynamicEvents
public import Logging

/// The handler of kind `log`: one structured line for each event. What the payload says of a person (IP address, user
/// agent) stays out.
public struct LoggingHandler: EventHandler {
  private let logger: Logger
  private let flush: @Sendable () async throws -> Void

  /// `flush` returns when the line is where it should be, and throws when it was lost: an event whose line is still in
  /// a buffer does not count as logged.
  public init(logger: Logger, flush: @escaping @Sendable () async throws -> Void = {}) {
    self.logger = logger
    self.flush = flush
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
    logger.notice("event", metadata: metadata)
    try await flush()
  }
}
