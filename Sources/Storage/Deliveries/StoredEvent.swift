package import DynamicEvents

/// The events that come next for a handler.
package struct EventPage: Hashable, Sendable {
  package var events: [StoredEvent]
  /// The position to record once all of `events` have been attempted. It is beyond the last of them where events
  /// follow that no handler gets (undecodable ones).
  package var end: Int64

  package init(events: [StoredEvent], end: Int64) {
    self.events = events
    self.end = end
  }
}

/// An event as a handler gets it.
package struct StoredEvent: Hashable, Sendable {
  /// Its place in the order of arrival.
  package var seq: Int64
  package var name: String
  /// The body as it was signed.
  package var body: [UInt8]
  package var receivedAt: Timestamp

  package init(seq: Int64, name: String, body: [UInt8], receivedAt: Timestamp) {
    self.seq = seq
    self.name = name
    self.body = body
    self.receivedAt = receivedAt
  }
}
