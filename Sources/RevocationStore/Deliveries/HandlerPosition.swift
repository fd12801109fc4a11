package import DynamicEvents
internal import SQLite
package import Storage

/// A handler's row, and how far it has come.
package struct HandlerCursor: Hashable, Sendable {
  package var id: Int64
  /// Every event up to this number has been attempted at least once.
  package var position: Int64
}

extension StoredEvent {
  static let columns = "event.seq, event.name, event.received_at, event.body"

  /// Reads a row that begins with `columns`.
  init(_ row: borrowing Row) throws {
    try self.init(
      seq: row.integer(0), name: row.text(1), body: row.blob(3), receivedAt: Timestamp(milliseconds: row.integer(2)))
  }
}

extension RevocationStore {
  /// Where the handler of that name stands. One that was never seen starts behind the newest event; one that was away
  /// goes on where it stood, and is not removed any more.
  package func handlerPosition(registering name: String, at now: Timestamp) throws(StoreError) -> HandlerCursor {
    try write { db in
      try db.run(
        """
        INSERT INTO handler (name, position, added_at) SELECT ?, last_event, ? FROM tally WHERE true
        ON CONFLICT (name) DO UPDATE SET removed_at = NULL
        """, name, now.milliseconds)
      let cursor = try db.first("SELECT id, position FROM handler WHERE name = ?", name) { row in
        try HandlerCursor(id: row.integer(0), position: row.integer(1))
      }
      guard let cursor else { throw SQLiteError.corrupt("a handler just stored is missing") }
      return cursor
    }
  }

  /// The decodable events behind a position, oldest first: at most `limit`, and no more once their bodies reach
  /// `bytes` (so a big one still comes, alone).
  ///
  /// Those that `handler` has a delivery of its own for are left out: they were attempted, out of their turn, before
  /// the process was killed, and come by `dueDeliveries` or are dead.
  package func events(
    after position: Int64, limit: Int, bytes: Int = 4 << 20, handler: Int64? = nil
  ) throws(StoreError) -> EventPage {
    try read { db in
      var events: [StoredEvent] = []
      var taken = 0
      // Anything short of both bounds means that the table's end was reached, in the same snapshot.
      var reachedEnd = true
      try db.walk(
        """
        SELECT \(StoredEvent.columns) FROM event WHERE seq > ? AND problem IS NULL
          AND NOT EXISTS (SELECT 1 FROM delivery WHERE handler_id = ? AND event_seq = event.seq)
        ORDER BY seq LIMIT ?
        """, position, handler, limit
      ) { row in
        reachedEnd = taken < bytes
        guard reachedEnd else { return false }
        let event = try StoredEvent(row)
        taken += event.body.count
        events.append(event)
        return true
      }
      reachedEnd = reachedEnd && events.count < limit
      return try EventPage(
        events: events, end: reachedEnd ? Tally.fetch(db).lastEvent : events.last?.seq ?? position)
    }
  }

  /// Pending and dead deliveries of every handler that ever was, by name. Costs a row a handler, however many
  /// deliveries there are.
  package func backlogs() throws(StoreError) -> [String: Backlog] {
    try read { db in
      let backlogs = try db.all(
        "SELECT name, max(last_event - position, 0) + retrying, dead FROM handler CROSS JOIN tally"
      ) { row in try (row.text(0), Backlog(pending: Int(row.integer(1)), dead: Int(row.integer(2)))) }
      return Dictionary(backlogs) { first, _ in first }
    }
  }

  /// When the oldest event was received that a handler has not finished, by name. Those that have finished all are left
  /// out. Costs two rows a handler.
  package func oldestPending() throws(StoreError) -> [String: Timestamp] {
    try read { db in
      let oldest = try db.all(
        """
        SELECT name, min(ifnull(waiting, retrying), ifnull(retrying, waiting)) FROM (
          SELECT name,
            (SELECT received_at FROM event WHERE seq > position AND problem IS NULL ORDER BY seq LIMIT 1) AS waiting,
            (SELECT received_at FROM event WHERE seq =
              (SELECT min(event_seq) FROM delivery WHERE handler_id = handler.id AND next_at IS NOT NULL)) AS retrying
          FROM handler)
        WHERE waiting IS NOT NULL OR retrying IS NOT NULL
        """
      ) { row in try (row.text(0), Timestamp(milliseconds: row.integer(1))) }
      return Dictionary(oldest) { first, _ in first }
    }
  }
}
