package import DynamicEvents
internal import KeyIndex
internal import SQLite

/// A session that is revoked, for good.
package struct Revocation: Hashable, Sendable {
  package var session: SessionID
  package var revokedAt: Timestamp
  package var by: RevokedBy
  /// The event that said so first; nil when it came without an id.
  package var eventID: String?
}

// Look-ups answer by the row's existence: a session is refused until pruning has come by, which is later than it must
// be and never sooner.
extension RevocationStore {
  package func revocation(of session: SessionID) throws(StoreError) -> Revocation? {
    try revocations(ofEach: [session]).first ?? nil
  }

  /// In the order asked, as of one moment; nil for a session that is not revoked. Reads the index each time, as a
  /// command does: a server's look-ups go by `LookUpReader`.
  package func revocations(ofEach sessions: [SessionID]) throws(StoreError) -> [Revocation?] {
    try checkIndexes()
    return try read { db in
      let index = try KeyIndex.load(.revocation, last: Tally.fetch(db).lastRevocation, db)
      return try sessions.map { session in
        guard let seq = try index.seq(of: IndexKey(session), db) else { return nil }
        return try db.first("SELECT revoked_at, revoked_by, event_id FROM revocation WHERE seq = ?", seq) { row in
          try Revocation(
            session: session, revokedAt: Timestamp(milliseconds: row.integer(0)), by: RevokedBy(row, 1),
            eventID: row.textIfAny(2))
        }
      }
    }
  }

  package func tally() throws(StoreError) -> Tally {
    try read(Tally.fetch)
  }
}

extension RevokedBy {
  /// From a table's column.
  init(_ row: borrowing Row, _ column: CInt) throws(SQLiteError) {
    let known = row.lend(column) { name in
      Self.allCases.first { by in
        let utf8 = by.rawValue.utf8
        return utf8.count == name.count && zip(utf8, name.indices).allSatisfy { $0 == name[$1] }
      }
    }
    guard let known = known ?? nil else { throw SQLiteError.corrupt("it is not known who revoked a session") }
    self = known
  }
}
