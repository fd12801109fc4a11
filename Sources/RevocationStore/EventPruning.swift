internal import GRDB

/// The deletion of old events, inside its transaction.
struct EventPruning {
  private let db: Database
  private var tally: Tally
  /// The configured handlers' ids.
  private let handlers: Set<Int64>
  /// Up to here each of them has attempted every event.
  private let position: Int64

  init(_ db: Database, handlers names: [String]) throws {
    self.db = db
    tally = try Tally.fetch(db)
    let known = try Row.fetchAll(db, sql: "SELECT id, name, position FROM handler").filter {
      try names.contains($0.decode(atIndex: 1))
    }
    handlers = Set(try known.map { try $0.decode(atIndex: 0) })
    position = try known.map { try $0.decode(Int64.self, atIndex: 2) }.min() ?? .max
  }

  /// Deletes the event unless somebody needs it.
  mutating func prune(_ seq: Int64) throws {
    guard seq <= position else { return }
    // By way of the handlers, so that the primary key finds the rows.
    let deliveries = try Row.fetchAll(
      db.cachedStatement(
        sql: """
          SELECT handler_id, next_at FROM delivery WHERE handler_id IN (SELECT id FROM handler) AND event_seq = ?
          """), arguments: [seq])
    let isNeeded = try deliveries.contains {
      try $0.decode(Int64?.self, atIndex: 1) == nil || handlers.contains($0.decode(atIndex: 0))
    }
    guard !isNeeded else { return }
    // An undecodable event is a dead letter itself.
    try db.cachedStatement(sql: "DELETE FROM event WHERE seq = ? AND problem IS NULL").execute(arguments: [seq])
    guard db.changesCount == 1 else { return }
    tally.events -= 1
    guard !deliveries.isEmpty else { return }
    try db.cachedStatement(
      sql: "DELETE FROM delivery WHERE handler_id IN (SELECT id FROM handler) AND event_seq = ?"
    ).execute(arguments: [seq])
  }

  func finish() throws {
    try tally.update(db)
  }
}
