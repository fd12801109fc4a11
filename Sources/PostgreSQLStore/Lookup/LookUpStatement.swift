#if PostgreSQL
  internal import DynamicEvents
  internal import PostgreSQL
  internal import Storage

  /// The one statement of look-ups, and what it returns.
  ///
  /// Its first row says whether the server is a standby: one that was the primary a moment ago, or never was. Then come
  /// those of the sessions that are revoked, and the cut-offs that this process does not know of yet.
  enum LookUpStatement {
    static let sql = """
      SELECT 0::smallint, pg_is_in_recovery(), NULL::uuid, NULL::bigint, NULL::text, NULL::text
      UNION ALL SELECT 1::smallint, false, session, revoked_at, revoked_by, event_id
        FROM revoked.revocation WHERE session = ANY ($1::uuid[])
      UNION ALL SELECT 2::smallint, false, id, before, kind, seq::text
        FROM revoked.cutoff WHERE seq > $2::bigint
      """

    static func parameters(_ sessions: [SessionID], covered: Int64) -> [Parameter] {
      var ids = ArrayParameter(.uuid, capacity: sessions.count * 20)
      for session in sessions { ids.append(bigEndianWords: session.bigEndianWords) }
      return [ids.parameter, Parameter(covered)]
    }

    /// Takes note of the cut-offs. Returns what is revoked, and the newest one's number; 0: there were none.
    static func read(
      _ rows: Rows, _ cutOffs: CutOffs
    ) throws(PostgreSQLError) -> (revoked: [SessionID: Revocation], newest: Int64) {
      var revoked: [SessionID: Revocation] = [:]
      var found: [CutOff] = []
      var newest: Int64 = 0
      var isPrimary = false
      for index in 0..<rows.count {
        let row = rows[index]
        switch try row.integer(0) {
        case 0:
          guard try !row.bool(1) else {
            throw PostgreSQLError(.unreachable, state: "25006", "the server is a standby")
          }
          isPrimary = true
        case 1:
          let revocation = try Revocation(row)
          revoked[revocation.session] = revocation
        default:
          found.append(try CutOff(row, id: 2, before: 3, kind: 4))
          newest = max(newest, try Int64(row.text(5)) ?? 0)
        }
      }
      guard isPrimary else { throw PostgreSQLError(.unexpected, "a look-up returned nothing") }
      if !found.isEmpty { cutOffs.insert(found) }
      return (revoked, newest)
    }
  }

  extension Revocation {
    /// From columns 2 to 5 of a look-up's row.
    fileprivate init(_ row: Row) throws(PostgreSQLError) {
      let bytes = try row.bytes(2)
      guard let session = SessionID(bytes: bytes), let by = try RevokedBy(rawValue: row.text(4)) else {
        throw PostgreSQLError(.unexpected, "a revocation is malformed")
      }
      self.init(
        session: session, revokedAt: Timestamp(milliseconds: try row.integer(3)), by: by, eventID: row.textIfAny(5))
    }
  }

  extension CutOff {
    init(_ row: Row, id: CInt, before: CInt, kind: CInt) throws(PostgreSQLError) {
      let bytes = try row.bytes(id)
      guard let known = try Kind(rawValue: row.text(kind)), let uuid = UUIDBytes(bytes: bytes.span) else {
        throw PostgreSQLError(.unexpected, "a cut-off is malformed")
      }
      self.init(known, uuid, before: Timestamp(milliseconds: try row.integer(before)))
    }
  }
#endif
