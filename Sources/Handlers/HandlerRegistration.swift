/// A handler under its name.
public struct HandlerRegistration: Sendable {
  /// Names the handler's place in the store, its metrics and its dead letters. Keep it: under another name the handler
  /// starts anew, with the events that come from then on.
  public let name: String
  public let events: [EventPattern]
  /// Of one attempt. Then its task is cancelled, and the attempt has failed once it returns; until it does, it keeps
  /// its place among the concurrent ones, so that an event is never with a handler twice at the same time.
  public let timeout: Duration
  /// Attempts at the same time. With one, events come in the order of arrival, but for retries; with more, in no order.
  public let concurrency: Int
  /// Attempts per event before it becomes a dead letter.
  public let maxAttempts: Int
  public let handler: any EventHandler
  let suspends: Bool
  /// nil: it gets its events one by one.
  let batchHandler: (any BatchHandler)?
  /// Its attempts need not be noted for the next start. After a kill each of them would be made alone.
  let endsNoProcess: Bool

  public init(
    _ name: String, events: [EventPattern] = EventPattern.sessionRevocations, timeout: Duration = .seconds(30),
    concurrency: Int = 1, maxAttempts: Int = 20, handler: any EventHandler
  ) {
    self.name = name
    self.events = events
    self.timeout = max(timeout, .milliseconds(1))
    // Each may need a thread, if the handler blocks.
    self.concurrency = min(max(concurrency, 1), 256)
    self.maxAttempts = max(maxAttempts, 1)
    self.handler = handler
    suspends = (handler as? any SuspendingHandler)?.suspends ?? false
    batchHandler = suspends ? handler as? any BatchHandler : nil
    endsNoProcess = handler is LoggingHandler
  }

  package func wants(_ eventName: String) -> Bool {
    events.contains { $0.matches(eventName) }
  }
}

/// Which events a handler wants: an exact name, or a name that ends in `*` and stands for all that begin so
/// (`user.session.*`, `*`).
public struct EventPattern: Sendable, Hashable, CustomStringConvertible {
  public let description: String
  private let prefix: String?

  public init(_ text: String) {
    description = text
    prefix = text.hasSuffix("*") ? String(text.dropLast()) : nil
  }

  public func matches(_ eventName: String) -> Bool {
    if let prefix { eventName.hasPrefix(prefix) } else { eventName == description }
  }

  /// The events that revoke a session: what a handler gets unless it asks for others.
  public static let sessionRevocations = [
    EventPattern("user.session.revoked"), EventPattern("admin.user.session.revoked"),
    EventPattern("operator.session.revoked"),
  ]
}
