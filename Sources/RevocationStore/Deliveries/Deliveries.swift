package import DynamicEvents
internal import SQLite
package import Storage

extension RevocationStore {
  /// Records how attempts ended, of fresh events and of retries alike, and moves the handler on, in one transaction.
  /// The position never goes back. Call it for many at once: it costs one sync of the disk.
  package func record(
    _ attempts: some Collection<Attempt>, handler: Int64, advancingTo position: Int64? = nil
  ) throws(StoreError) {
    try write { db in
      let rows = try DeliveryRows(db, handler: handler)
      for attempt in attempts { try rows.record(attempt) }
      if let position {
        try db.run("UPDATE handler SET position = ?1 WHERE id = ?2 AND position < ?1", position, handler)
      }
    }
  }

  /// What is left to do of one event; nil when the handler has done it or given it up, or there is no such event.
  package func pendingDelivery(of event: Int64, handler: Int64) throws(StoreError) -> DueDelivery? {
    try read { db in
      try db.first(
        """
        SELECT \(StoredEvent.columns), delivery.attempts, next_at IS NULL, event.seq > position
        FROM event CROSS JOIN handler ON handler.id = ?1
        LEFT JOIN delivery ON handler_id = ?1 AND event_seq = event.seq
        WHERE event.seq = ?2 AND problem IS NULL
        """, handler, event
      ) { row -> DueDelivery? in
        let attempts = try row.integerIfAny(4)
        // Without a row it is done once the position has passed it, and with one it is over once it is dead.
        guard try attempts == nil ? row.integer(6) != 0 : row.integer(5) == 0 else { return nil }
        return try DueDelivery(event: StoredEvent(row), attempts: Int(min(max(0, attempts ?? 0), 1 << 30)))
      } ?? nil
    }
  }

  /// Failed deliveries whose time has come, the longest due first: at most `limit`, and no more once their bodies reach
  /// `bytes`. Those that the caller has in hand already (`excluding`) are passed over.
  ///
  /// So are those of events behind `end`. They were attempted out of their turn, before the process was killed: if one
  /// succeeded before its turn comes, and so lost its row, it would be taken for a fresh one.
  package func dueDeliveries(
    handler: Int64, at now: Timestamp, limit: Int, bytes: Int = 4 << 20, upTo end: Int64 = .max,
    excluding inHand: Set<Int64> = []
  ) throws(StoreError) -> DuePage {
    try read { db in
      let furthest = Timestamp(milliseconds: now.milliseconds + Int64(DuePage.longestPause / .milliseconds(1)))
      var page = DuePage(due: [], next: nil)
      guard limit > 0 else { return page }
      var taken = 0
      // Misdated ones first: behind all others they might never come.
      for (range, isMisdated) in [("next_at > ?2", true), ("next_at <= ?2", false)] {
        guard page.due.count < limit, taken < bytes else { break }
        try db.walk(
          """
          SELECT \(StoredEvent.columns), delivery.attempts, next_at, attempt_times <> ''
          FROM delivery CROSS JOIN event ON event.seq = delivery.event_seq
          WHERE handler_id = ?1 AND \(range) ORDER BY next_at
          """, handler, furthest.milliseconds
        ) { row in
          let seq = try row.integer(0)
          if inHand.contains(seq) { return true }
          let nextAt = try Timestamp(milliseconds: row.integer(5))
          guard isMisdated || nextAt <= now else {
            page.next = nextAt
            return false
          }
          if seq > end {
            page.isMoreAhead = true
            return true
          }
          if isMisdated { page.misdated = nextAt }
          let event = try StoredEvent(row)
          taken += event.body.count
          // Whatever the disk says, one more is still a number.
          let attempts = try Int(min(max(0, row.integer(4)), 1 << 30))
          // Only what puts a dead letter back sets the count to zero and keeps the times.
          let wasDead = try attempts == 0 && row.integer(6) != 0
          page.due.append(DueDelivery(event: event, attempts: attempts, wasDead: wasDead))
          return page.due.count < limit && taken < bytes
        }
      }
      return page
    }
  }
}

/// The writing of one handler's rows, inside a transaction: a thousand a second where all fails.
struct DeliveryRows {
  /// What is kept of an error's text.
  private static let longestError = 500

  private let handler: Int64
  private let upsert: Statement
  private let delete: Statement

  init(_ db: Connection, handler: Int64) throws {
    self.handler = handler
    upsert = try db.statement(
      """
      INSERT INTO delivery (handler_id, event_seq, attempts, attempted_at, next_at, last_error, attempt_times)
      VALUES (?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (handler_id, event_seq) DO UPDATE SET attempts = excluded.attempts,
        attempted_at = excluded.attempted_at, next_at = excluded.next_at, last_error = excluded.last_error,
        attempt_times = \(AttemptTimes.appending)
      """)
    delete = try db.statement("DELETE FROM delivery WHERE handler_id = ? AND event_seq = ?")
  }

  func record(_ attempt: Attempt) throws {
    switch attempt.outcome {
    case .delivered:
      try delete.bind(handler, at: 1)
      try delete.bind(attempt.event, at: 2)
      try delete.run()
    case .failed(let error, let retryAt): try write(attempt, nextAt: retryAt, error: error)
    case .dead(let error): try write(attempt, nextAt: nil, error: error)
    case .claimed: try write(attempt, nextAt: attempt.at, error: "the attempt had not ended", isOver: false)
    }
  }

  private func write(_ attempt: Attempt, nextAt: Timestamp?, error: String, isOver: Bool = true) throws {
    try upsert.bind(handler, at: 1)
    try upsert.bind(attempt.event, at: 2)
    try upsert.bind(Int64(attempt.number), at: 3)
    try upsert.bind(attempt.at.milliseconds, at: 4)
    if let nextAt { try upsert.bind(nextAt.milliseconds, at: 5) } else { try upsert.bindNull(at: 5) }
    try upsert.bind(String(error.prefix(Self.longestError)), at: 6)
    try upsert.bind(isOver ? "\(attempt.at.milliseconds)" : "", at: 7)
    try upsert.run()
  }
}

extension AttemptTimes {
  /// What an update sets, in SQL: one more, or none. Read and written in Swift, it would take a second statement a row.
  static let appending = """
    CASE WHEN excluded.attempt_times = '' THEN attempt_times ELSE
      CASE WHEN length(attempt_times) - length(replace(attempt_times, ' ', '')) >= \(most - 1)
        THEN substr(attempt_times, instr(attempt_times, ' ') + 1) ELSE attempt_times END
      || CASE attempt_times WHEN '' THEN '' ELSE ' ' END || excluded.attempt_times END
    """
}
