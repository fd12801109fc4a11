package import DynamicEvents
internal import GRDB

extension RevocationStore {
  /// What is kept of an error's text.
  private static let longestError = 500

  /// Records how attempts ended, of fresh events and of retries alike, and moves the handler on, in one transaction.
  /// The position never goes back. Call it for many at once: it costs one sync of the disk.
  package func record(
    _ attempts: some Collection<Attempt>, handler: Int64, advancingTo position: Int64? = nil
  ) throws(StoreError) {
    try write { db in
      for attempt in attempts {
        switch attempt.outcome {
        case .delivered:
          try db.cachedStatement(sql: "DELETE FROM delivery WHERE handler_id = ? AND event_seq = ?")
            .execute(arguments: [handler, attempt.event])
        case .failed(let error, let retryAt):
          try Self.write(attempt, handler: handler, nextAt: retryAt, error: error, db)
        case .dead(let error):
          try Self.write(attempt, handler: handler, nextAt: nil, error: error, db)
        case .claimed:
          try Self.write(
            attempt, handler: handler, nextAt: attempt.at, error: "the attempt had not ended", db, isOver: false)
        }
      }
      if let position {
        try db.cachedStatement(sql: "UPDATE handler SET position = ?1 WHERE id = ?2 AND position < ?1")
          .execute(arguments: [position, handler])
      }
    }
  }

  /// Failed deliveries whose time has come, the longest due first: at most `limit`, and no more once their bodies reach `bytes`. Those that
  /// the caller has in hand already (`excluding`) are passed over.
  package func dueDeliveries(
    handler: Int64, at now: Timestamp, limit: Int, bytes: Int = 4 << 20, excluding inHand: Set<Int64> = []
  ) throws(StoreError) -> DuePage {
    try read { db in
      let select = try db.cachedStatement(
        sql: """
          SELECT \(StoredEvent.columns), delivery.attempts, next_at
          FROM delivery CROSS JOIN event ON event.seq = delivery.event_seq
          WHERE handler_id = ? AND next_at IS NOT NULL ORDER BY next_at
          """)
      let rows = try Row.fetchCursor(select, arguments: [handler])
      var page = DuePage(due: [], next: nil)
      var taken = 0
      while page.due.count < limit, taken < bytes, let row = try rows.next() {
        if try inHand.contains(row.decode(atIndex: 0)) { continue }
        let nextAt = try Timestamp(milliseconds: row.decode(atIndex: 5))
        guard nextAt <= now else {
          page.next = nextAt
          break
        }
        let event = try StoredEvent(row)
        taken += event.body.count
        try page.due.append(DueDelivery(event: event, attempts: row.decode(atIndex: 4)))
      }
      return page
    }
  }

  private static func write(
    _ attempt: Attempt, handler: Int64, nextAt: Timestamp?, error: String, _ db: Database, isOver: Bool = true
  ) throws {
    let select = try db.cachedStatement(
      sql: "SELECT attempt_times FROM delivery WHERE handler_id = ? AND event_seq = ?")
    var times = AttemptTimes(text: try String.fetchOne(select, arguments: [handler, attempt.event]) ?? "")
    if isOver { times.add(attempt.at) }
    try db.cachedStatement(
      sql: """
        INSERT INTO delivery (handler_id, event_seq, attempts, attempted_at, next_at, last_error, attempt_times)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (handler_id, event_seq) DO UPDATE SET attempts = excluded.attempts,
          attempted_at = excluded.attempted_at, next_at = excluded.next_at, last_error = excluded.last_error,
          attempt_times = excluded.attempt_times
        """
    ).execute(arguments: [
      handler, attempt.event, attempt.number, attempt.at.milliseconds, nextAt?.milliseconds,
      String(error.prefix(longestError)), times.text,
    ])
  }
}
