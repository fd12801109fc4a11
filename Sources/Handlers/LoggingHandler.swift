public import DynamicEvents
public import Logging

/// The handler of kind `log`: one structured line for each event. What the payload says of a person (IP address, user
/// agent) stays out.
public struct LoggingHandler: EventHandler, BatchHandler {
  private let logger: Logger
  private let deliver: @Sendable (_ write: () -> Void) async throws -> Void
  /// Another's logger or `flush` may block.
  package let suspends: Bool

  /// How many lines may wait for one flush. They take some 100 KiB.
  package static let concurrency = 256

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

  /// - Parameter deliver: calls `write` before it suspends, and returns when the lines are where they should be.
  ///   Several calls may be under way.
  package init(logger: Logger, deliver: @escaping @Sendable (_ write: () -> Void) async throws -> Void) {
    self.logger = logger
    suspends = true
    self.deliver = deliver
  }

  public func handle(_ event: Event) async throws {
    try await deliver { log(event) }
  }

  package func handle(_ events: [Event]) async throws {
    try await deliver {
      for event in events { log(event) }
    }
  }

  private func log(_ event: Event) {
    var metadata = Logger.Metadata(minimumCapacity: 8)
    metadata["event"] = .string(event.envelope.eventName)
    if let id = event.envelope.eventId { metadata["eventId"] = .string(id) }
    if let time = event.envelope.timestamp { metadata["occurredAt"] = .string(time.description) }
    if case .sessionRevoked(let session, let by) = event.payload {
      metadata["sessionId"] = .string(session.id.description)
      metadata["by"] = .string(by.rawValue)
      if let time = session.revokedAt { metadata["revokedAt"] = .string(time.description) }
    }
    logger.notice("event", metadata: metadata)
  }
}
