package import DynamicEvents
internal import KeyIndex
internal import SQLite
package import Storage

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

  package func event(revoking session: SessionID) throws(StoreError) -> Int64? {
    if indexes != nil {
      let reader = LookUpReader(self)
      defer { reader.roundEnded() }
      return try reader.event(of: session)
    }
    try checkIndexes()
    return try read { db in
      let index = try KeyIndex.load(.revocation, last: Tally.fetch(db).lastRevocation, db)
      guard let seq = try index.seq(of: IndexKey(session), db) else { return nil }
      return try db.first("SELECT event_seq FROM revocation WHERE seq = ?", seq) { row in try row.integer(0) }
    }
  }

  package func tally() throws(StoreError) -> Tally {
    try read(Tally.fetch)
  }
}
