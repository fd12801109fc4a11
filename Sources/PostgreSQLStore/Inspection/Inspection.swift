#if PostgreSQL
  package import DynamicEvents
  internal import PostgreSQL
  package import Storage

  extension PostgreSQLStore {
    /// Up to so many rows are counted when somebody asks; beyond it the pruner's latest count and what came since say
    /// about how many there are.
    private static let counted = 20_000

    package func tally() throws(StoreError) -> Tally {
      try use { connection, deadline in try Self.tally(connection, until: deadline) }
    }

    static func tally(_ connection: Connection, until deadline: Deadline) throws -> Tally {
      func count(_ table: String, _ last: String) -> String {
        """
        (SELECT CASE WHEN few.count < \(counted) THEN few.count
            ELSE greatest(\(table)s + (\(last)) - counted_\(table), few.count) END
          FROM (SELECT count(*) FROM (SELECT FROM revoked.\(table) LIMIT \(counted)) AS first) few)
        """
      }
      let row = try connection.query(
        """
        SELECT (\(Numbers.lastEvent)), (\(Numbers.lastRevocation)), \(count("event", Numbers.lastEvent)),
          \(count("revocation", Numbers.lastRevocation)),
          (SELECT count(*) FROM (SELECT FROM revoked.event WHERE problem IS NOT NULL LIMIT \(counted)) AS first),
          (SELECT at FROM revoked.heard)
        FROM revoked.tally
        """, until: deadline)[0]
      return try Tally(
        lastEvent: row.integer(0), lastRevocation: row.integer(1), events: Int(row.integer(2)),
        revocations: Int(row.integer(3)), undecodable: Int(row.integer(4)),
        lastReceivedAt: row.integerIfAny(5).map(Timestamp.init(milliseconds:)))
    }

    package func revocations(ofEach sessions: [SessionID]) throws(StoreError) -> [Revocation?] {
      let found = try use { connection, deadline in
        let parameters = LookUpStatement.parameters(sessions, covered: .max)
        return try LookUpStatement.read(
          connection.query(LookUpStatement.sql, parameters, until: deadline), cutOffs
        ).revoked
      }
      return sessions.map { found[$0] }
    }

    package func event(revoking session: SessionID) throws(StoreError) -> Int64? {
      try query(
        "SELECT event_seq FROM revoked.revocation WHERE session = $1::uuid", [Parameter(session.bytes)]
      ) { row in try row.integer(0) }.first
    }

    package func known(_ keys: [EventKey]) throws(StoreError) -> Set<EventKey> {
      var asked = ArrayParameter(.uuid)
      for key in keys { asked.append(bigEndianWords: key.bigEndianWords) }
      return Set(
        try query("SELECT key FROM revoked.event WHERE key = ANY ($1)", [asked.parameter]) { row in
          EventKey(bytes: try row.bytes(0))
        }.compactMap { $0 })
    }

    private static let columns = "seq, name, problem, messages, received_at, occurred_at, body, source"

    package func latestEvents(
      _ filter: EventFilter, before: Int64?, limit: Int
    ) throws(StoreError) -> [EventSummary] {
      guard limit > 0 else { return [] }
      return try use { connection, deadline in
        // Events come in the order of their times, but for a clock that was set back by at most an hour.
        try connection.query(
          """
          SELECT \(Self.columns) FROM revoked.event
          WHERE seq < $1 AND ($2::text IS NULL OR name = $2) AND ($3::bigint IS NULL OR received_at >= $3
            AND seq > coalesce((SELECT max(seq) FROM revoked.event WHERE received_at < $3 - 3600000), 0))
          ORDER BY seq DESC LIMIT $4
          """,
          [
            Parameter(before ?? .max), Parameter(filter.name), Parameter(filter.since?.milliseconds), Parameter(limit),
          ], until: deadline
        ).map { try Self.summary($0, connection, until: deadline) }
      }
    }

    package func event(_ seq: Int64) throws(StoreError) -> EventSummary? {
      try event("seq = $1", Parameter(seq))
    }

    package func event(_ key: EventKey) throws(StoreError) -> EventSummary? {
      try event("key = $1::uuid", Parameter(key.bytes))
    }

    private func event(_ condition: String, _ parameter: Parameter) throws(StoreError) -> EventSummary? {
      try use { connection, deadline in
        try connection.query(
          "SELECT \(Self.columns) FROM revoked.event WHERE \(condition)", [parameter], until: deadline
        ).map { try Self.summary($0, connection, until: deadline) }.first
      }
    }

    private static func summary(
      _ row: Row, _ connection: Connection, until deadline: Deadline
    ) throws -> EventSummary {
      guard let source = try EventSource(rawValue: row.text(7)) else {
        throw PostgreSQLError(.unexpected, "an event is from nowhere known")
      }
      let seq = try row.integer(0)
      var event = try EventSummary(
        seq: seq, name: row.textIfAny(1), problem: row.textIfAny(2), source: source,
        messageIDs: row.text(3).split(separator: " ").map(String.init),
        receivedAt: Timestamp(milliseconds: row.integer(4)),
        occurredAt: row.integerIfAny(5).map(Timestamp.init(milliseconds:)), body: row.bytes(6), handlers: [])
      // What could not be decoded is no handler's.
      if event.problem != nil { return event }
      event.handlers = try connection.query(
        """
        SELECT name, position >= $1, attempts, next_at, last_error
        FROM revoked.handler LEFT JOIN revoked.delivery ON handler_id = handler.id AND event_seq = $1
        WHERE added_at <= $2 OR event_seq IS NOT NULL ORDER BY name
        """, [Parameter(seq), Parameter(event.receivedAt.milliseconds)], until: deadline
      ).map { row in
        let state: EventSummary.State
        if let attempts = try row.integerIfAny(2).map({ Int($0) }) {
          let error = try row.text(4)
          state =
            try row.integerIfAny(3).map {
              .retrying(attempts: attempts, at: Timestamp(milliseconds: $0), error: error)
            } ?? .dead(attempts: attempts, error: error)
        } else {
          state = try row.bool(1) ? .done : .waiting
        }
        return EventSummary.Handler(name: try row.text(0), state: state)
      }
      return event
    }

    package func isRemoved(_ handler: String) throws(StoreError) -> Bool {
      try !query(
        "SELECT 1 FROM revoked.handler WHERE name = $1 AND removed_at IS NOT NULL", [Parameter(handler)]
      ) { _ in true }.isEmpty
    }

    package func state(_ name: StateName) throws(StoreError) -> String? {
      try query("SELECT value FROM revoked.state WHERE name = $1", [Parameter(name.rawValue)]) { try $0.text(0) }.first
    }

    package func setState(_ name: StateName, to value: String?) throws(StoreError) {
      guard mode != .inspect else { throw .readOnly(path: location) }
      _ = try use { connection, deadline in
        if let value {
          try connection.query(
            """
            INSERT INTO revoked.state VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value
            """, [Parameter(name.rawValue), Parameter(value)], until: deadline)
        } else {
          try connection.query(
            "DELETE FROM revoked.state WHERE name = $1", [Parameter(name.rawValue)], until: deadline)
        }
      }
    }
  }
#endif
