internal import DynamicEvents
internal import GRDB

extension RevocationCopy {
  static func entries(of recent: [IndexKey: Int64], after covered: Int64, _ db: Database) throws -> [RevocationCopy] {
    var copies: [RevocationCopy] = []
    copies.reserveCapacity(recent.count)
    try forEach(after: covered, db) { copies.append($0) }
    return copies
  }

  static func forEach(after seq: Int64, _ db: Database, _ body: (RevocationCopy) throws -> Void) throws {
    let select = try PreparedStatement(
      db,
      sql: """
        SELECT seq, session, revoked_at, revoked_by, remember_from, event_id FROM revocation WHERE seq > ? ORDER BY seq
        """)
    try select.bind(seq, at: 1)
    try select.forEach { row in
      guard let key = row.bytes(1, IndexKey.init(bytes:)) else {
        throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a session is malformed")
      }
      try body(RevocationCopy(key, seq: row.number(0), rememberFrom: row.number(4), answer: answer(row)))
    }
  }

  private static func answer(_ row: borrowing PreparedStatement.Row) -> Answer? {
    guard let by = row.bytes(3, RevokedBy.init(name:)) else { return nil }
    return row.bytes(5) { Answer(revokedAt: Timestamp(milliseconds: row.number(2)), by: by, eventID: $0) }
  }
}
