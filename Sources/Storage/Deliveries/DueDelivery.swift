package import DynamicEvents

/// A failed delivery whose time for another attempt has come.
package struct DueDelivery: Hashable, Sendable {
  package var event: StoredEvent
  /// How often it failed.
  package var attempts: Int
  /// It was a dead letter, was put back into the queue, and has not been attempted since.
  package var wasDead = false

  package init(event: StoredEvent, attempts: Int, wasDead: Bool = false) {
    self.event = event
    self.attempts = attempts
    self.wasDead = wasDead
  }
}

/// What waits for another attempt.
package struct DuePage: Hashable, Sendable {
  /// No attempt waits longer for the next one. A time further ahead was written by a clock that was ahead, and has
  /// come.
  package static let longestPause: Duration = .seconds(3600)

  package var due: [DueDelivery]
  /// When the next one after these is due; nil when the page was full, or none waits.
  package var next: Timestamp?
  /// Some were left out because their events' turn has not come.
  package var isMoreAhead = false
  /// When one of these was to be due, further ahead than any pause: the clock was ahead when it was written.
  package var misdated: Timestamp?

  package init(due: [DueDelivery], next: Timestamp?, isMoreAhead: Bool = false, misdated: Timestamp? = nil) {
    self.due = due
    self.next = next
    self.isMoreAhead = isMoreAhead
    self.misdated = misdated
  }
}
