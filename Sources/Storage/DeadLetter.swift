internal import Bytes
package import DynamicEvents

/// What was given up: an event by a handler, or a delivery that could not be decoded and so reached none.
package struct DeadLetter: Hashable, Sendable {
  package var id: DeadLetterID
  /// nil: it could not be decoded.
  package var eventName: String?
  package var receivedAt: Timestamp
  package var attempts: Int
  /// Of the last twenty attempts, oldest first.
  package var attemptTimes: [Timestamp]
  /// When it was given up.
  package var diedAt: Timestamp
  package var error: String

  package init(
    id: DeadLetterID, eventName: String?, receivedAt: Timestamp, attempts: Int, attemptTimes: [Timestamp],
    diedAt: Timestamp, error: String
  ) {
    self.id = id
    self.eventName = eventName
    self.receivedAt = receivedAt
    self.attempts = attempts
    self.attemptTimes = attemptTimes
    self.diedAt = diedAt
    self.error = error
  }
}

/// Names a dead letter for good: `17/audit`, or `17` for one without a handler.
package struct DeadLetterID: Hashable, Comparable, Sendable, LosslessStringConvertible {
  /// The event's number.
  package var event: Int64
  /// nil: it could not be decoded.
  package var handler: String?

  package init(event: Int64, handler: String?) {
    self.event = event
    self.handler = handler
  }

  package init?(_ text: String) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let number = parts.first, number.utf8.areDigits,
      let event = Int64(number), event > 0
    else { return nil }
    self.event = event
    handler = parts.count > 1 ? String(parts[1]) : nil
    if handler == "" { return nil }
  }

  package var description: String { handler.map { "\(event)/\($0)" } ?? "\(event)" }

  package static func < (left: DeadLetterID, right: DeadLetterID) -> Bool {
    (left.event, left.handler ?? "") < (right.event, right.handler ?? "")
  }
}

/// Which dead letters are meant.
package struct DeadLetterFilter: Hashable, Sendable {
  package var handler: String?
  /// Those that died at that time or later.
  package var since: Timestamp?
  /// Of this event: by every handler, and the undecodable delivery itself.
  package var event: Int64?

  package init(handler: String? = nil, since: Timestamp? = nil, event: Int64? = nil) {
    self.handler = handler
    self.since = since
    self.event = event
  }
}
