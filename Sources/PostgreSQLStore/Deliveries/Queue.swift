#if PostgreSQL
  package import DynamicEvents
  internal import PostgreSQL
  package import Storage

  extension PostgreSQLStore {
    package func events(
      after position: Int64, limit: Int, bytes: Int, handler: Int64?
    ) throws(StoreError) -> EventPage {
      try use { connection, deadline in
        // A page's bodies end where they would be more than was asked for; but the first comes whatever its size.
        let rows = try connection.query(
          """
          WITH next AS (
            SELECT seq, name, received_at, octet_length(body) AS length FROM revoked.event
            WHERE seq > $1 AND problem IS NULL AND NOT EXISTS (
              SELECT FROM revoked.delivery WHERE handler_id = $4 AND event_seq = event.seq)
            ORDER BY seq LIMIT $2),
          fitting AS (
            SELECT seq, coalesce(sum(length) OVER (ORDER BY seq ROWS UNBOUNDED PRECEDING EXCLUDE CURRENT ROW), 0)
              AS before FROM next)
          SELECT 0, (\(Numbers.lastEvent)), NULL::text, (SELECT count(*) FROM fitting), NULL::bytea
          UNION ALL
          SELECT 1, seq, name, received_at, body FROM fitting JOIN revoked.event USING (seq) WHERE before < $3
          ORDER BY 1, 2
          """, [Parameter(position), Parameter(limit), Parameter(bytes), Parameter(handler)], until: deadline)
        let events = try (1..<max(1, rows.count)).map { try StoredEvent(rows[$0], from: 1) }
        let isEnd = try rows[0].integer(3) < limit && rows[0].integer(3) == events.count
        return EventPage(
          events: events, end: isEnd ? max(position, try rows[0].integer(1)) : events.last?.seq ?? position)
      }
    }

    package func dueDeliveries(
      handler: Int64, at now: Timestamp, limit: Int, bytes: Int, upTo end: Int64, excluding inHand: Set<Int64>
    ) throws(StoreError) -> DuePage {
      var page = DuePage(due: [], next: nil)
      guard limit > 0 else { return page }
      var excluded = ArrayParameter(.bigint)
      for event in inHand { excluded.append(event) }
      let furthest = now.milliseconds + Int64(DuePage.longestPause / .milliseconds(1))
      return try use { connection, deadline in
        // Misdated ones first: behind all others they might never come.
        let rows = try connection.query(
          """
          WITH due AS (
            (SELECT event_seq, attempts, next_at, attempt_times, 0 AS rank FROM revoked.delivery
              WHERE handler_id = $1 AND next_at > $2 AND event_seq <= $5 AND event_seq <> ALL ($6)
              ORDER BY next_at LIMIT $4)
            UNION ALL
            (SELECT event_seq, attempts, next_at, attempt_times, 1 FROM revoked.delivery
              WHERE handler_id = $1 AND next_at <= $3 AND event_seq <= $5 AND event_seq <> ALL ($6)
              ORDER BY next_at LIMIT $4)
            ORDER BY 5, 3 LIMIT $4),
          fitting AS (
            SELECT due.*, coalesce(sum(octet_length(body)) OVER (ORDER BY rank, next_at, event_seq
              ROWS UNBOUNDED PRECEDING EXCLUDE CURRENT ROW), 0) AS before
            FROM due JOIN revoked.event ON seq = event_seq)
          SELECT seq, name, received_at, body, attempts, next_at, attempt_times <> '', rank,
            (SELECT count(*) FROM fitting)
          FROM fitting JOIN revoked.event ON seq = event_seq WHERE before < $7 ORDER BY rank, next_at, event_seq
          """,
          [
            Parameter(handler), Parameter(furthest), Parameter(now.milliseconds), Parameter(limit), Parameter(end),
            excluded.parameter, Parameter(bytes),
          ], until: deadline)
        for index in 0..<rows.count {
          let row = rows[index]
          // Whatever the row says, one more is still a number.
          let attempts = try Int(min(max(0, row.integer(4)), 1 << 30))
          // Only what puts a dead letter back sets the count to zero and keeps the times.
          let wasDead = try attempts == 0 && row.bool(6)
          page.due.append(DueDelivery(event: try StoredEvent(row, from: 0), attempts: attempts, wasDead: wasDead))
          if try row.integer(7) == 0 { page.misdated = try Timestamp(milliseconds: row.integer(5)) }
        }
        let isFull = try page.due.count == limit || rows.count > 0 && rows[0].integer(8) > rows.count
        if !isFull {
          let rest = try connection.query(
            """
            SELECT (SELECT min(next_at) FROM revoked.delivery WHERE handler_id = $1 AND next_at > $2
                AND event_seq <> ALL ($4)),
              EXISTS (SELECT FROM revoked.delivery WHERE handler_id = $1 AND next_at <= $2 AND event_seq > $3
                AND event_seq <> ALL ($4))
            """, [Parameter(handler), Parameter(now.milliseconds), Parameter(end), excluded.parameter],
            until: deadline)[0]
          page.next = try rest.integerIfAny(0).map(Timestamp.init(milliseconds:))
          page.isMoreAhead = try rest.bool(1)
          // One that is misdated is due now, and in the page or behind `end`.
          if let next = page.next, next.milliseconds > furthest { page.next = nil }
        }
        return page
      }
    }

    package func pendingDelivery(of event: Int64, handler: Int64) throws(StoreError) -> DueDelivery? {
      try query(
        """
        SELECT seq, event.name, received_at, body, attempts, next_at IS NULL, seq > position
        FROM revoked.event CROSS JOIN revoked.handler
          LEFT JOIN revoked.delivery ON handler_id = $2 AND event_seq = seq
        WHERE handler.id = $2 AND seq = $1 AND problem IS NULL
        """, [Parameter(event), Parameter(handler)]
      ) { row -> DueDelivery? in
        let attempts = try row.integerIfAny(4)
        // Without a row it is done once the position has passed it, and with one it is over once it is dead.
        guard try attempts == nil ? row.bool(6) : !row.bool(5) else { return nil }
        return DueDelivery(event: try StoredEvent(row, from: 0), attempts: Int(min(max(0, attempts ?? 0), 1 << 30)))
      }.first ?? nil
    }

    package func backlogs() throws(StoreError) -> [String: Backlog] {
      let backlogs = try query(
        "SELECT name, greatest((\(Numbers.lastEvent)) - position, 0) + retrying, dead FROM revoked.handler"
      ) { row in try (row.text(0), Backlog(pending: Int(row.integer(1)), dead: Int(row.integer(2)))) }
      return Dictionary(backlogs) { first, _ in first }
    }

    package func oldestPending() throws(StoreError) -> [String: Timestamp] {
      let oldest = try query(
        """
        SELECT name, least(waiting, retrying) FROM (
          SELECT name,
            (SELECT received_at FROM revoked.event WHERE seq > position AND problem IS NULL ORDER BY seq LIMIT 1)
              AS waiting,
            (SELECT received_at FROM revoked.event WHERE seq = (SELECT min(event_seq) FROM revoked.delivery
              WHERE handler_id = handler.id AND next_at IS NOT NULL)) AS retrying
          FROM revoked.handler) AS each
        WHERE waiting IS NOT NULL OR retrying IS NOT NULL
        """
      ) { row in try (row.text(0), Timestamp(milliseconds: row.integer(1))) }
      return Dictionary(oldest) { first, _ in first }
    }
  }

  extension StoredEvent {
    /// From the columns `seq, name, received_at, body`, the first of which is given.
    init(_ row: Row, from column: CInt) throws(PostgreSQLError) {
      try self.init(
        seq: row.integer(column), name: row.text(column + 1), body: row.bytes(column + 3),
        receivedAt: Timestamp(milliseconds: row.integer(column + 2)))
    }
  }
#endif
