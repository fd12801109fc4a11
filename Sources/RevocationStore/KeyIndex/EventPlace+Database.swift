internal import GRDB

extension EventPlace {
  /// Without the rows, which have the events' bodies beside their keys.
  static func entries(of recent: [IndexKey: Int64], after covered: Int64, _ db: Database) throws -> [EventPlace] {
    recent.map { EventPlace(hash: $0.key.hash, seq: $0.value) }
  }

  static func forEach(after seq: Int64, _ db: Database, _ body: (EventPlace) throws -> Void) throws {
    let select = try PreparedStatement(db, sql: "SELECT seq, key FROM event WHERE seq > ? ORDER BY seq")
    try select.bind(seq, at: 1)
    try select.forEach { row in
      guard let key = row.bytes(1, IndexKey.init(bytes:)) else {
        throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a key is malformed")
      }
      try body(EventPlace(hash: key.hash, seq: row.number(0)))
    }
  }
}
