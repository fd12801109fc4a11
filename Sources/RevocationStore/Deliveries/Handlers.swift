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

extension RevocationStore {
  /// Takes note that the server has these handlers and no others. What one that is removed has not delivered stays, and
  /// so does its place, until it is registered again or forgotten.
  package func markRemoved(allBut names: [String], at now: Timestamp) throws(StoreError) {
    try write { db in
      for name in try db.all("SELECT name FROM handler WHERE removed_at IS NULL", make: { try $0.text(0) })
      where !names.contains(name) {
        try Self.markRemoved(name, at: now, db)
      }
    }
  }

  /// The same of one that has stopped.
  package func markRemoved(_ name: String, at now: Timestamp) throws(StoreError) {
    try write { db in try Self.markRemoved(name, at: now, db) }
  }

  private static func markRemoved(_ name: String, at now: Timestamp, _ db: Connection) throws {
    try db.run("UPDATE handler SET removed_at = ? WHERE name = ? AND removed_at IS NULL", now.milliseconds, name)
  }

  package func isRemoved(_ name: String) throws(StoreError) -> Bool {
    try read { db in
      try db.first("SELECT 1 FROM handler WHERE name = ? AND removed_at IS NOT NULL", name) { _ in true } ?? false
    }
  }

  /// Forgets a removed handler: its rows, at most `limit` of them in this transaction, and with the last of them its
  /// place and its name. Returns whether there is more to do. One that a server has, or has again meanwhile, is left
  /// alone.
  package func forgetSome(ofRemoved name: String, limit: Int) throws(StoreError) -> Bool {
    try write { db in
      let id = try db.first("SELECT id FROM handler WHERE name = ? AND removed_at IS NOT NULL", name) { row in
        try row.integer(0)
      }
      guard let id else { return false }
      try db.run(
        """
        DELETE FROM delivery WHERE handler_id = ?1 AND event_seq IN
          (SELECT event_seq FROM delivery WHERE handler_id = ?1 ORDER BY event_seq LIMIT ?2)
        """, id, limit)
      if db.changes == limit { return true }
      try db.run("DELETE FROM handler WHERE id = ?", id)
      return false
    }
  }
}
