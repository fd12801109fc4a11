/// A handler under its name.
public struct HandlerRegistration: Sendable {
  /// Names the handler's place in the store, its metrics and its dead letters. Keep it: under another name the handler starts anew, with
  /// the events that come from then on.
  public let name: String
  public let events: [EventPattern]
  /// Attempts per event before it becomes a dead letter.
  public let maxAttempts: Int
  public let handler: any EventHandler

  public init(
    _ name: String, events: [EventPattern] = EventPattern.sessionRevocations, maxAttempts: Int = 20,
    handler: any EventHandler
  ) {
    self.name = name
    self.events = events
    self.maxAttempts = max(1, maxAttempts)
    self.handler = handler
  }

  package func wants(_ eventName: String) -> Bool {
    events.contains { $0.matches(eventName) }
  }
}
