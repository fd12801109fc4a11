package import DynamicEvents
internal import KeyIndex
internal import SQLite
package import Storage

extension RevocationStore {
  private static let summaryColumns = "seq, name, problem, messages, received_at, occurred_at, body, source"

  /// The newest first, before the number `before`.
  package func latestEvents(
    _ filter: EventFilter, before: Int64?, limit: Int
  ) throws(StoreError) -> [EventSummary] {
    try read { db in
      var events: [EventSummary] = []
      guard limit > 0 else { return events }
      try db.walk(
        """
        SELECT \(Self.summaryColumns) FROM event
        WHERE (?1 IS NULL OR seq < ?1) AND (?2 IS NULL OR name = ?2) ORDER BY seq DESC
        """, before, filter.name
      ) { row in
        // Events come in the order of their times, but for a clock that was set back: an hour of them is looked
        // through.
        let receivedAt = try row.integer(4)
        if let since = filter.since, receivedAt < since.milliseconds {
          return receivedAt >= since.milliseconds - 3_600_000
        }
        events.append(try Self.summary(row, db))
        return events.count < limit
      }
      return events
    }
  }

  package func event(_ seq: Int64) throws(StoreError) -> EventSummary? {
    try read { db in try Self.event(seq, db) }
  }

  private static func event(_ seq: Int64, _ db: Connection) throws -> EventSummary? {
    try db.first("SELECT \(summaryColumns) FROM event WHERE seq = ?", seq) { row in try summary(row, db) }
  }

  package func event(_ key: EventKey) throws(StoreError) -> EventSummary? {
    try checkIndexes()
    return try read { db in
      let index = try KeyIndex.load(.event, last: Tally.fetch(db).lastEvent, db)
      guard let seq = try index.seq(of: IndexKey(key), db) else { return nil }
      return try Self.event(seq, db)
    }
  }

  /// Those of the keys whose events are stored.
  package func known(_ keys: [EventKey]) throws(StoreError) -> Set<EventKey> {
    try checkIndexes()
    return try read { db in
      let index = try KeyIndex.load(.event, last: Tally.fetch(db).lastEvent, db)
      return try Set(keys.filter { try index.seq(of: IndexKey($0), db) != nil })
    }
  }

  private static func summary(_ row: borrowing Row, _ db: Connection) throws -> EventSummary {
    let seq = try row.integer(0)
    var event = try EventSummary(
      seq: seq, name: row.textIfAny(1), problem: row.textIfAny(2), source: EventSource(row, 7),
      messageIDs: row.text(3).split(separator: " ").map(String.init),
      receivedAt: Timestamp(milliseconds: row.integer(4)),
      occurredAt: row.integerIfAny(5).map(Timestamp.init(milliseconds:)), body: row.blob(6), handlers: [])
    // What could not be decoded is no handler's.
    if event.problem != nil { return event }
    event.handlers = try db.all(
      """
      SELECT name, position, attempts, next_at, last_error
      FROM handler LEFT JOIN delivery ON handler_id = handler.id AND event_seq = ?1
      WHERE added_at <= ?2 OR event_seq IS NOT NULL ORDER BY name
      """, seq, event.receivedAt.milliseconds
    ) { row in try EventSummary.Handler(name: row.text(0), state: state(row, seq)) }
    return event
  }

  private static func state(_ row: borrowing Row, _ seq: Int64) throws -> EventSummary.State {
    guard let attempts = try row.integerIfAny(2).map({ Int($0) }), let error = try row.textIfAny(4) else {
      return try row.integer(1) >= seq ? .done : .waiting
    }
    guard let next = try row.integerIfAny(3) else { return .dead(attempts: attempts, error: error) }
    return .retrying(attempts: attempts, at: Timestamp(milliseconds: next), error: error)
  }
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
