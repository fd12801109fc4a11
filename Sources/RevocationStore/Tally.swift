package import DynamicEvents
internal import SQLite

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

  /// A clock that is more than a day ahead of the last delivery is not believed: one start with a wrong one would
  /// forget everything. What is due meanwhile is only remembered for longer.
  func believable(_ now: Timestamp) -> Timestamp {
    guard let lastReceivedAt else { return now }
    return min(now, Timestamp(milliseconds: lastReceivedAt.milliseconds + Self.furthestAhead))
  }

  static func fetch(_ db: Connection) throws -> Tally {
    let tally = try db.first(
      "SELECT last_event, last_revocation, events, revocations, undecodable, last_received_at FROM tally"
    ) { row in
      try Tally(
        lastEvent: row.integer(0), lastRevocation: row.integer(1), events: Int(row.integer(2)),
        revocations: Int(row.integer(3)), undecodable: Int(row.integer(4)),
        lastReceivedAt: row.integerIfAny(5).map(Timestamp.init(milliseconds:)))
    }
    guard let tally else { throw SQLiteError.corrupt("the table of counts is empty") }
    guard tally.isPlausible else { throw SQLiteError.corrupt("the table of counts is beyond all bounds") }
    return tally
  }

  /// So far from the ends that no process lives to count there.
  private var isPlausible: Bool {
    let most: Int64 = 1 << 62
    let counts = -(1 << 62)...(1 << 62)
    return 0...most ~= lastEvent && 0...most ~= lastRevocation
      && [events, revocations, undecodable].allSatisfy { counts ~= $0 }
  }

  func update(_ db: Connection) throws(SQLiteError) {
    let update = try db.statement(
      """
      UPDATE tally SET last_event = ?, last_revocation = ?, events = ?, revocations = ?, undecodable = ?,
        last_received_at = ?
      """)
    try update.bind(lastEvent, at: 1)
    try update.bind(lastRevocation, at: 2)
    try update.bind(Int64(events), at: 3)
    try update.bind(Int64(revocations), at: 4)
    try update.bind(Int64(undecodable), at: 5)
    if let lastReceivedAt { try update.bind(lastReceivedAt.milliseconds, at: 6) } else { try update.bindNull(at: 6) }
    try update.run()
  }
}
