package import DynamicEvents

/// The store's counts at one moment. All of it is one row, so that asking costs nothing whatever the store's size.
package struct Tally: Hashable, Sendable {
  /// Numbers given out; never again, also after pruning.
  package var lastEvent: Int64
  package var lastRevocation: Int64
  /// Rows there are.
  package var events: Int
  package var revocations: Int
  package var undecodable: Int
  /// When the last genuinely signed delivery came that the store saw, duplicates included.
  package var lastReceivedAt: Timestamp?

  package init(
    lastEvent: Int64, lastRevocation: Int64, events: Int, revocations: Int, undecodable: Int,
    lastReceivedAt: Timestamp?
  ) {
    self.lastEvent = lastEvent
    self.lastRevocation = lastRevocation
    self.events = events
    self.revocations = revocations
    self.undecodable = undecodable
    self.lastReceivedAt = lastReceivedAt
  }

  private static let furthestAhead: Int64 = 86_400_000

  /// A clock that is more than a day ahead of the last delivery is not believed: one start with a wrong one would
  /// forget everything. What is due meanwhile is only remembered for longer.
  package func believable(_ now: Timestamp) -> Timestamp {
    guard let lastReceivedAt else { return now }
    return min(now, Timestamp(milliseconds: lastReceivedAt.milliseconds + Self.furthestAhead))
  }

  /// So far from the ends that no process lives to count there.
  package var isPlausible: Bool {
    let most: Int64 = 1 << 62
    let counts = -(1 << 62)...(1 << 62)
    return 0...most ~= lastEvent && 0...most ~= lastRevocation
      && [events, revocations, undecodable].allSatisfy { counts ~= $0 }
  }
}
