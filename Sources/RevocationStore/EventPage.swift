/// The events that come next for a handler.
package struct EventPage: Hashable, Sendable {
  package var events: [StoredEvent]
  /// The position to record once all of `events` have been attempted. It is beyond the last of them where events
  /// follow that no handler gets (undecodable ones).
  package var end: Int64
}
