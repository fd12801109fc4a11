package import DynamicEvents
internal import GRDB

extension RevocationStore {
  /// Where the handler of that name stands. One that was never seen starts behind the newest event; one that was away
  /// goes on where it stood, and is not removed any more.
  package func handlerPosition(registering name: String, at now: Timestamp) throws(StoreError) -> HandlerCursor {
    try write { db in
      try db.execute(
        sql: """
          INSERT INTO handler (name, position, added_at) SELECT ?, last_event, ? FROM tally WHERE true
          ON CONFLICT (name) DO UPDATE SET removed_at = NULL
          """, arguments: [name, now.milliseconds])
      guard let row = try Row.fetchOne(db, sql: "SELECT id, position FROM handler WHERE name = ?", arguments: [name])
      else { throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a handler just stored is missing") }
      return try HandlerCursor(id: row.decode(atIndex: 0), position: row.decode(atIndex: 1))
    }
  }

  /// The decodable events behind a position, oldest first: at most `limit`, and no more once their bodies reach
  /// `bytes` (so a big one still comes, alone).
  ///
  /// Those that `handler` has a delivery of its own for are left out: they were attempted, out of their turn, before the process was killed, and
  /// come by `dueDeliveries` or are dead.
  package func events(
    after position: Int64, limit: Int, bytes: Int = 4 << 20, handler: Int64? = nil
  ) throws(StoreError) -> EventPage {
    try read { db in
      let select = try db.cachedStatement(
        sql: """
          SELECT \(StoredEvent.columns) FROM event WHERE seq > ? AND problem IS NULL
            AND NOT EXISTS (SELECT 1 FROM delivery WHERE handler_id = ? AND event_seq = event.seq)
          ORDER BY seq LIMIT ?
          """)
      let rows = try Row.fetchCursor(select, arguments: [position, handler, limit])
      let events = try rows.take(upTo: bytes, counting: \.body.count) { try StoredEvent($0) }
      // Anything short of both bounds means that the table's end was reached, in the same snapshot.
      let reachedEnd = try events.count < limit && rows.next() == nil
      return try EventPage(
        events: events, end: reachedEnd ? Tally.fetch(db).lastEvent : events.last?.seq ?? position)
    }
  }

  /// Pending and dead deliveries of every handler that ever was, by name. Costs a row a handler, however many deliveries there are.
  package func backlogs() throws(StoreError) -> [String: Backlog] {
    try read { db in
      let rows = try Row.fetchAll(
        db, sql: "SELECT name, max(last_event - position, 0) + retrying, dead FROM handler CROSS JOIN tally")
      let backlogs = try rows.map { row in
        try (
          row.decode(String.self, atIndex: 0),
          Backlog(pending: row.decode(atIndex: 1), dead: row.decode(atIndex: 2))
        )
      }
      return Dictionary(backlogs) { first, _ in first }
    }
  }
}
