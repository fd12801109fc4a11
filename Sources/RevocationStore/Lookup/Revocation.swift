package import DynamicEvents
internal import Foundation
internal import GRDB

/// A session that is revoked, for good.
package struct Revocation: Hashable, Sendable {
  package var session: SessionID
  package var revokedAt: Timestamp
  package var by: RevokedBy
  /// The event that said so first; nil when it came without an id.
  package var eventID: String?
}

// Look-ups answer by the row's existence: a session is refused until pruning has come by, which is later than it must be
// and never sooner.
extension RevocationStore {
  package func revocation(of session: SessionID) throws(StoreError) -> Revocation? {
    try revocations(ofEach: [session]).first ?? nil
  }

  /// In the order asked, as of one moment; nil for a session that is not revoked.
  package func revocations(ofEach sessions: [SessionID]) throws(StoreError) -> [Revocation?] {
    try read { db in
      let index = try KeyIndex.load(.revocation, db)
      return try sessions.map { session in
        try index.seq(of: IndexKey(session), db).flatMap { try Self.revocation(session, $0, db) }
      }
    }
  }

  package func tally() throws(StoreError) -> Tally {
    try read(Tally.fetch)
  }

  private static func revocation(_ session: SessionID, _ seq: Int64, _ db: Database) throws -> Revocation? {
    let select = try db.cachedStatement(
      sql: "SELECT revoked_at, revoked_by, event_id FROM revocation WHERE seq = ?")
    guard let row = try Row.fetchOne(select, arguments: [seq]) else { return nil }
    guard let by = try RevokedBy(rawValue: row.decode(atIndex: 1)) else {
      throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a revocation is by nobody known")
    }
    return try Revocation(
      session: session, revokedAt: Timestamp(milliseconds: row.decode(atIndex: 0)), by: by,
      eventID: row.decode(atIndex: 2))
  }
}

extension RevokedBy {
  /// From the table's column; `nil` for a name that is nobody's.
  init?(name: Span<UInt8>) {
    let known = Self.allCases.first { by in
      let utf8 = by.rawValue.utf8
      return utf8.count == name.count && zip(utf8, name.indices).allSatisfy { $0 == name[$1] }
    }
    guard let known else { return nil }
    self = known
  }
}
