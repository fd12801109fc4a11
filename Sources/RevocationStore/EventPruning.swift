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
    let known = try Row.fetchAll(db, sql: "SELECT id, name, position FROM handler").filter { names.contains($0[1]) }
    handlers = Set(known.map { $0[0] })
    position = known.map { $0[2] as Int64 }.min() ?? .max
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
    let isNeeded = deliveries.contains { $0[1] == nil || handlers.contains($0[0]) }
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
