#if PostgreSQL
  package import DynamicEvents
  internal import PostgreSQL
  package import Storage

  extension PostgreSQLStore {
    private static let columns = "event_seq, handler, event.name, received_at, attempts, attempt_times, died_at, error"

    package func deadLetters(
      _ filter: DeadLetterFilter, after: DeadLetterID?, limit: Int
    ) throws(StoreError) -> [DeadLetter] {
      try query(
        """
        SELECT \(Self.columns) FROM (\(Self.deadLetters(">"))) AS dead JOIN revoked.event ON event.seq = event_seq
        ORDER BY event_seq, handler COLLATE "C" LIMIT $6
        """, Self.parameters(filter, after?.event ?? 0, Self.handler(after)) + [Parameter(limit)], Self.deadLetter)
    }

    package func latestDeadLetters(before: DeadLetterID?, limit: Int) throws(StoreError) -> [DeadLetter] {
      try query(
        """
        SELECT \(Self.columns) FROM (\(Self.deadLetters("<"))) AS dead JOIN revoked.event ON event.seq = event_seq
        ORDER BY event_seq DESC, handler COLLATE "C" DESC LIMIT $6
        """,
        Self.parameters(DeadLetterFilter(), before?.event ?? .max, before?.handler ?? "") + [Parameter(limit)],
        Self.deadLetter)
    }

    package func deadLetterCount(_ filter: DeadLetterFilter) throws(StoreError) -> Int {
      try query(
        "SELECT count(*) FROM (\(Self.deadLetters(">"))) AS dead", Self.parameters(filter, 0, Self.handler(nil))
      ) { row in Int(try row.integer(0)) }.first ?? 0
    }

    private static func parameters(_ filter: DeadLetterFilter, _ event: Int64, _ handler: String) -> [Parameter] {
      [
        Parameter(filter.handler), Parameter(filter.since?.milliseconds), Parameter(filter.event), Parameter(event),
        Parameter(handler),
      ]
    }

    private static func deadLetter(_ row: Row) throws -> DeadLetter {
      try DeadLetter(
        id: DeadLetterID(event: row.integer(0), handler: row.textIfAny(1)), eventName: row.textIfAny(2),
        receivedAt: Timestamp(milliseconds: row.integer(3)), attempts: Int(row.integer(4)),
        attemptTimes: AttemptTimes(text: row.text(5)).times, diedAt: Timestamp(milliseconds: row.integer(6)),
        error: row.text(7))
    }

    /// Of handler $1, from $2 on, of event $3, behind (`>`) or before (`<`) the id of event $4 and handler $5.
    private static func deadLetters(_ comparison: String) -> String {
      """
      SELECT event_seq, handler.name AS handler, attempts, attempt_times, attempted_at AS died_at, last_error AS error
      FROM revoked.delivery JOIN revoked.handler ON handler.id = handler_id
      WHERE next_at IS NULL AND ($1::text IS NULL OR handler.name = $1)
        AND ($2::bigint IS NULL OR attempted_at >= $2) AND ($3::bigint IS NULL OR event_seq = $3)
        AND (event_seq, handler.name COLLATE "C") \(comparison) ($4::bigint, $5::text COLLATE "C")
      UNION ALL
      SELECT seq, NULL, 0, '', received_at, problem FROM revoked.event
      WHERE problem IS NOT NULL AND $1::text IS NULL
        AND ($2::bigint IS NULL OR received_at >= $2) AND ($3::bigint IS NULL OR seq = $3)
        AND seq \(comparison) $4::bigint
      """
    }

    /// An event that could not be decoded has no deliveries, so that its number alone says the place.
    private static func handler(_ after: DeadLetterID?) -> String { after?.handler ?? "\u{10FFFF}" }

    package func replay(_ ids: [DeadLetterID], at now: Timestamp) throws(StoreError) -> [DeadLetterID] {
      try change { connection, deadline in
        try Self.lockHandlers(connection, until: deadline)
        let replayed = try ids.filter { id in
          guard let handler = id.handler else {
            return try decodeAgain(event: id.event, at: now, connection, until: deadline)
          }
          return try connection.query(
            """
            UPDATE revoked.delivery SET next_at = $1, attempts = 0 WHERE next_at IS NULL AND event_seq = $2
              AND handler_id = (SELECT id FROM revoked.handler WHERE name = $3)
            """, [Parameter(now.milliseconds), Parameter(id.event), Parameter(handler)], until: deadline
          ).changes > 0
        }
        // Even if the events' numbers stay: handlers have something to do.
        try connection.query("UPDATE revoked.tally SET changes = changes + 1", until: deadline)
        return replayed
      }
    }

    package func discard(_ ids: [DeadLetterID]) throws(StoreError) -> [DeadLetterID] {
      try change { connection, deadline in
        try Self.lockHandlers(connection, until: deadline)
        return try ids.filter { id in
          guard let handler = id.handler else {
            return try Self.forgetUndecodable(event: id.event, connection, until: deadline)
          }
          return try connection.query(
            """
            DELETE FROM revoked.delivery WHERE next_at IS NULL AND event_seq = $1
              AND handler_id = (SELECT id FROM revoked.handler WHERE name = $2)
            """, [Parameter(id.event), Parameter(handler)], until: deadline
          ).changes > 0
        }
      }
    }

    package func forgetSome(ofRemoved name: String, limit: Int) throws(StoreError) -> Bool {
      try change { connection, deadline in
        let found = try connection.query(
          """
          SELECT id FROM revoked.handler WHERE name = $1 AND removed_at IS NOT NULL AND NOT EXISTS (
            SELECT FROM revoked.registration WHERE handler = $1 AND until > clock_timestamp())
          FOR UPDATE
          """, [Parameter(name)], until: deadline)
        guard found.count == 1 else { return false }
        let id = Parameter(try found[0].integer(0))
        let gone = try connection.query(
          """
          DELETE FROM revoked.delivery WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM revoked.delivery WHERE handler_id = $1 ORDER BY event_seq LIMIT $2))
          """, [id, Parameter(limit)], until: deadline
        ).changes
        if gone == limit { return true }
        try connection.query("DELETE FROM revoked.handler WHERE id = $1", [id], until: deadline)
        return false
      }
    }

    /// Whoever changes deliveries writes their counts to the handlers' rows, and all do so in one order.
    private static func lockHandlers(_ connection: Connection, until deadline: Deadline) throws(PostgreSQLError) {
      try connection.query("SELECT 1 FROM revoked.handler ORDER BY id FOR UPDATE", until: deadline)
    }

    static func forgetUndecodable(
      event seq: Int64, _ connection: Connection, until deadline: Deadline
    ) throws(PostgreSQLError) -> Bool {
      try connection.query(
        """
        WITH gone AS (DELETE FROM revoked.event WHERE seq = $1 AND problem IS NOT NULL RETURNING seq)
        UPDATE revoked.tally
        SET last_event = greatest(last_event, seq), events = events - (seq <= counted_event)::integer
        FROM gone
        """, [Parameter(seq)], until: deadline
      ).changes > 0
    }
  }
#endif
