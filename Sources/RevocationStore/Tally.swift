package import DynamicEvents
internal import GRDB

/// The store's counts at one moment. All of it is one row, so that asking costs nothing whatever the store's size.
package struct Tally: Hashable, Sendable {
  /// Numbers given out; never again, also after pruning.
  package internal(set) var lastEvent: Int64
  package internal(set) var lastRevocation: Int64
  /// Rows there are.
  package internal(set) var events: Int
  package internal(set) var revocations: Int
  package internal(set) var undecodable: Int
  /// When the last genuinely signed delivery came that the store saw, duplicates included.
  package internal(set) var lastReceivedAt: Timestamp?

  private static let furthestAhead: Int64 = 86_400_000

  /// A clock that is more than a day ahead of the last delivery is not believed: one start with a wrong one would forget everything. What is due
  /// meanwhile is only remembered for longer.
  func believable(_ now: Timestamp) -> Timestamp {
    guard let lastReceivedAt else { return now }
    return min(now, Timestamp(milliseconds: lastReceivedAt.milliseconds + Self.furthestAhead))
  }

  static func fetch(_ db: Database) throws -> Tally {
    let select = try db.cachedStatement(
      sql: "SELECT last_event, last_revocation, events, revocations, undecodable, last_received_at FROM tally")
    guard let row = try Row.fetchOne(select) else {
      throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "the table of counts is empty")
    }
    let tally = try Tally(
      lastEvent: row.decode(atIndex: 0), lastRevocation: row.decode(atIndex: 1), events: row.decode(atIndex: 2),
      revocations: row.decode(atIndex: 3), undecodable: row.decode(atIndex: 4),
      lastReceivedAt: row.decode(Int64?.self, atIndex: 5).map(Timestamp.init(milliseconds:)))
    guard tally.isPlausible else {
      throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "the table of counts is beyond all bounds")
    }
    return tally
  }

  /// So far from the ends that no process lives to count there.
  private var isPlausible: Bool {
    let most: Int64 = 1 << 62
    let counts = -(1 << 62)...(1 << 62)
    return 0...most ~= lastEvent && 0...most ~= lastRevocation
      && [events, revocations, undecodable].allSatisfy { counts ~= $0 }
  }

  func update(_ db: Database) throws {
    try db.cachedStatement(
      sql: """
        UPDATE tally SET last_event = ?, last_revocation = ?, events = ?, revocations = ?, undecodable = ?,
          last_received_at = ?
        """
    ).execute(arguments: [
      lastEvent, lastRevocation, events, revocations, undecodable, lastReceivedAt?.milliseconds,
    ])
  }
}
