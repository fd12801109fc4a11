#if PostgreSQL
  package import DynamicEvents
  internal import PostgreSQL
  package import Storage

  extension PostgreSQLStore {
    /// How long an event is known after it was received, whatever the retention of sessions: Dynamic redelivers for 90
    /// days, and retries such a delivery for one day more.
    private static let eventRetention: Int64 = 92 * 86_400_000
    /// Numbers that one step looks through.
    private static let looks = 4096
    /// Rows that one step deletes: a transaction of some milliseconds.
    private static let deletes = 1000
    /// Longer than the pauses between two steps, and shorter than an operator waits for another node to go on.
    private static let lease = Duration.seconds(60)

    package func prune(_ step: PruneStep, at now: Timestamp, handlers: [String]) throws(StoreError) -> PruneStep? {
      guard try take(.pruning, for: Self.lease) else { return nil }
      let next: PruneStep? =
        switch step {
        case .revocations(let seq): try pruneRevocations(after: seq, at: now) ?? .cutOffs(after: 0)
        case .cutOffs(let seq): try pruneCutOffs(after: seq, at: now) ?? .events(after: 0)
        case .events(let seq): try pruneEvents(after: seq, at: now, handlers: handlers)
        }
      if next == nil {
        try count()
        try leave(.pruning)
      }
      return next
    }

    /// The numbers of a step's rows that are to go, and where the next step begins.
    private struct Found {
      var numbers: [Int64]
      var next: Int64?
    }

    private func find(
      _ table: String, after seq: Int64, _ condition: String, _ limit: Int64
    ) throws(StoreError) -> Found {
      let numbers = try query(
        """
        SELECT seq FROM revoked.\(table) WHERE seq > $1 AND seq <= $1 + \(Self.looks) AND \(condition)
        ORDER BY seq LIMIT \(Self.deletes)
        """, [Parameter(seq), Parameter(limit)]
      ) { row in try row.integer(0) }
      if numbers.count == Self.deletes { return Found(numbers: numbers, next: numbers.last) }
      let next = try query(
        "SELECT seq - 1 FROM revoked.\(table) WHERE seq > $1::bigint + \(Self.looks) ORDER BY seq LIMIT 1",
        [Parameter(seq)]
      ) { row in try row.integer(0) }
      return Found(numbers: numbers, next: next.first)
    }

    /// Deletes rows, and keeps what follows from their having been there: numbers are not given out again, and whoever
    /// read up to one of them can go on.
    private func delete(_ numbers: [Int64], _ sql: String, _ limit: Int64) throws(StoreError) {
      guard !numbers.isEmpty else { return }
      var gone = ArrayParameter(.bigint)
      for number in numbers { gone.append(number) }
      _ = try use { connection, deadline in
        try connection.query(sql, [gone.parameter, Parameter(limit)], until: deadline)
      }
    }

    private func pruneRevocations(after seq: Int64, at now: Timestamp) throws(StoreError) -> PruneStep? {
      let horizon = shared.retention.horizon(at: now).milliseconds
      let found = try find("revocation", after: seq, "remember_from < $2", horizon)
      // The time once more: an event may have had the session remembered for longer meanwhile.
      try delete(
        found.numbers,
        """
        WITH gone AS (
          DELETE FROM revoked.revocation WHERE seq = ANY ($1) AND remember_from < $2 RETURNING seq)
        UPDATE revoked.tally SET last_revocation = greatest(last_revocation, (SELECT max(seq) FROM gone)),
          departures = departures + (SELECT count(*) FROM gone),
          revocations = revocations - (SELECT count(*) FROM gone WHERE seq <= counted_revocation)
        WHERE EXISTS (SELECT FROM gone)
        """, horizon)
      return found.next.map { .revocations(after: $0) }
    }

    private func pruneCutOffs(after seq: Int64, at now: Timestamp) throws(StoreError) -> PruneStep? {
      let found = try find("cutoff", after: seq, "expires_at < $2", now.milliseconds)
      try delete(
        found.numbers,
        """
        WITH gone AS (
          DELETE FROM revoked.cutoff WHERE seq = ANY ($1) AND expires_at < $2 RETURNING seq)
        UPDATE revoked.tally SET last_revocation = greatest(last_revocation, (SELECT max(seq) FROM gone)),
          departures = departures + (SELECT count(*) FROM gone)
        WHERE EXISTS (SELECT FROM gone)
        """, now.milliseconds)
      return found.next.map { .cutOffs(after: $0) }
    }

    private func pruneEvents(
      after seq: Int64, at now: Timestamp, handlers: [String]
    ) throws(StoreError) -> PruneStep? {
      var old: [Int64] = []
      var next: Int64?
      let rows = try query(
        "SELECT seq, received_at FROM revoked.event WHERE seq > $1 ORDER BY seq LIMIT \(Self.deletes)", [Parameter(seq)]
      ) { row in
        try (seq: row.integer(0), age: now.milliseconds - Timestamp(milliseconds: row.integer(1)).milliseconds)
      }
      for row in rows {
        // Numbers are given out in the order of receipt, so all that follow are young as well; but not if this one was
        // received by a clock that was ahead.
        if 0...Self.eventRetention ~= row.age { break }
        next = row.seq
        if row.age > 0 { old.append(row.seq) }
      }
      if next != rows.last?.seq || rows.count < Self.deletes { next = nil }
      if !old.isEmpty { try deleteEvents(old, handlers: handlers) }
      return next.map { .events(after: $0) }
    }

    /// Those that nobody needs. Handlers of other nodes count as these do.
    private func deleteEvents(_ old: [Int64], handlers: [String]) throws(StoreError) {
      var numbers = ArrayParameter(.bigint)
      for seq in old { numbers.append(seq) }
      var names = ArrayParameter(.text)
      for name in handlers { names.append(name) }
      try use { connection, deadline in
        try connection.transaction(until: deadline) { connection in
          // The counts of deliveries are written to these rows, and every writer takes them in this order. So the
          // deliveries below stay where they are. Each is found by its whole key, so that no plan reads all of them.
          try connection.query("SELECT 1 FROM revoked.handler ORDER BY id FOR UPDATE", until: deadline)
          try connection.query(
            """
            WITH wanted AS (
              SELECT id, position FROM revoked.handler WHERE name = ANY ($2) OR EXISTS (
                SELECT FROM revoked.registration WHERE handler = name AND until > clock_timestamp())),
            gone AS (
              DELETE FROM revoked.event WHERE seq = ANY ($1) AND problem IS NULL
                AND seq <= coalesce((SELECT min(position) FROM wanted), seq)
                AND NOT EXISTS (
                  SELECT FROM revoked.handler CROSS JOIN LATERAL (
                    SELECT next_at FROM revoked.delivery WHERE handler_id = handler.id AND event_seq = event.seq LIMIT 1
                  ) AS delivery WHERE next_at IS NULL OR handler.id IN (SELECT id FROM wanted))
              RETURNING seq),
            abandoned AS (
              DELETE FROM revoked.delivery WHERE ctid = ANY (ARRAY(
                SELECT delivery.ctid FROM gone CROSS JOIN revoked.handler CROSS JOIN LATERAL (
                  SELECT ctid FROM revoked.delivery WHERE handler_id = handler.id AND event_seq = gone.seq LIMIT 1
                ) AS delivery)))
            UPDATE revoked.tally SET last_event = greatest(last_event, (SELECT max(seq) FROM gone)),
              events = events - (SELECT count(*) FROM gone WHERE seq <= counted_event)
            WHERE EXISTS (SELECT FROM gone)
            """, [numbers.parameter, names.parameter], until: deadline)
        }
      }
    }

    /// Once a pass, since it reads everything. In steps, so that nothing waits for it.
    private func count() throws(StoreError) {
      for table in ["event", "revocation"] {
        let last = table == "event" ? Numbers.lastEvent : Numbers.lastRevocation
        var (end, rows) = try (query(last) { try $0.integer(0) }.first ?? 0, Int64(0))
        var seq: Int64 = 0
        while seq < end {
          let next = min(seq + 100_000, end)
          rows +=
            try query(
              "SELECT count(*) FROM revoked.\(table) WHERE seq > $1 AND seq <= $2", [Parameter(seq), Parameter(next)]
            ) { try $0.integer(0) }.first ?? 0
          seq = next
        }
        end = seq
        _ = try use { connection, deadline in
          try connection.query(
            "UPDATE revoked.tally SET \(table)s = $1, counted_\(table) = $2", [Parameter(rows), Parameter(end)],
            until: deadline)
        }
      }
    }

    package func take(_ duty: SharedDuty, for time: Duration) throws(StoreError) -> Bool {
      guard mode != .inspect else { throw .readOnly(path: location) }
      return try use { connection, deadline in
        try connection.query(
          """
          INSERT INTO revoked.duty AS duty (name, owner, until)
          VALUES ($1, $2, clock_timestamp() + $3::bigint * interval '1 millisecond')
          ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until
          WHERE duty.owner = excluded.owner OR duty.until <= clock_timestamp()
          """, [Parameter(duty.rawValue), Parameter(node.name), Parameter(Int64(time / .milliseconds(1)))],
          until: deadline
        ).changes == 1
      }
    }

    package func leave(_ duty: SharedDuty) throws(StoreError) {
      _ = try use { connection, deadline in
        try connection.query(
          "DELETE FROM revoked.duty WHERE name = $1 AND owner = $2", [Parameter(duty.rawValue), Parameter(node.name)],
          until: deadline)
      }
    }
  }
#endif
