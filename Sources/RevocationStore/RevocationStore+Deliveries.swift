package import DynamicEvents
internal import GRDB

extension RevocationStore {
  /// What is kept of an error's text.
  private static let longestError = 500

  /// Records how attempts ended, of fresh events and of retries alike, and moves the handler on, in one transaction.
  /// The position never goes back. Call it for a whole page at once: it costs one sync of the disk.
  package func record(
    _ attempts: [Attempt], handler: Int64, advancingTo position: Int64? = nil
  ) throws(StoreError) {
    try write { db in
      for attempt in attempts {
        switch attempt.outcome {
        case .delivered:
          try db.cachedStatement(sql: "DELETE FROM delivery WHERE handler_id = ? AND event_seq = ?")
            .execute(arguments: [handler, attempt.event])
        case .failed(let error, let retryAt):
          try Self.fail(attempt, handler: handler, nextAt: retryAt, error: error, db)
        case .dead(let error):
          try Self.fail(attempt, handler: handler, nextAt: nil, error: error, db)
        }
      }
      if let position {
        try db.cachedStatement(sql: "UPDATE handler SET position = ?1 WHERE id = ?2 AND position < ?1")
          .execute(arguments: [position, handler])
      }
    }
  }

  /// Failed deliveries whose time has come, the longest due first, bounded like `events(after:limit:bytes:)`.
  package func dueDeliveries(
    handler: Int64, at now: Timestamp, limit: Int, bytes: Int = 4 << 20
  ) throws(StoreError) -> [DueDelivery] {
    try read { db in
      let select = try db.cachedStatement(
        sql: """
          SELECT \(StoredEvent.columns), delivery.attempts
          FROM delivery CROSS JOIN event ON event.seq = delivery.event_seq
          WHERE handler_id = ? AND next_at <= ? ORDER BY next_at LIMIT ?
          """)
      let rows = try Row.fetchCursor(select, arguments: [handler, now.milliseconds, limit])
      return try rows.take(upTo: bytes, counting: \.event.body.count) {
        DueDelivery(event: StoredEvent($0), attempts: $0[4])
      }
    }
  }

  /// When the handler's next retry is due; nil when none waits.
  package func nextDueAt(handler: Int64) throws(StoreError) -> Timestamp? {
    try read { db in
      let select = try db.cachedStatement(
        sql: "SELECT next_at FROM delivery WHERE handler_id = ? AND next_at IS NOT NULL ORDER BY next_at LIMIT 1")
      return try Int64.fetchOne(select, arguments: [handler]).map(Timestamp.init(milliseconds:))
    }
  }

  private static func fail(
    _ attempt: Attempt, handler: Int64, nextAt: Timestamp?, error: String, _ db: Database
  ) throws {
    try db.cachedStatement(
      sql: """
        INSERT INTO delivery (handler_id, event_seq, attempts, attempted_at, next_at, last_error)
        VALUES (?, ?, 1, ?, ?, ?)
        ON CONFLICT (handler_id, event_seq) DO UPDATE SET attempts = attempts + 1,
          attempted_at = excluded.attempted_at, next_at = excluded.next_at, last_error = excluded.last_error
        """
    ).execute(arguments: [
      handler, attempt.event, attempt.at.milliseconds, nextAt?.milliseconds,
      String(error.prefix(longestError)),
    ])
  }
}
