package import DynamicEvents

/// A failed delivery whose time for another attempt has come.
package struct DueDelivery: Hashable, Sendable {
  package var event: StoredEvent
  /// How often it failed.
  package var attempts: Int
}

/// What waits for another attempt.
package struct DuePage: Hashable, Sendable {
  package var due: [DueDelivery]
  /// When the next one after these is due; nil when the page was full, or none waits.
  package var next: Timestamp?
  /// Some were left out because their events' turn has not come.
  package var isMoreAhead = false
}
