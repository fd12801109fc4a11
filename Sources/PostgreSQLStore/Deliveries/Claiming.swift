#if PostgreSQL
  package import DynamicEvents
  internal import PostgreSQL
  package import Storage

  /// Which handlers a node has. It lasts as long as the node renews it.
  enum Registration {
    /// As PostgreSQL writes an interval.
    static let validity = "30 seconds"
    /// Periods of the pulse until this node looks for handlers that no node has any more: a minute.
    static let sweepsAfter = 240

    /// Takes note of the handlers that no node has.
    static func sweep(_ connection: Connection, until deadline: Deadline) throws(PostgreSQLError) {
      try connection.query("DELETE FROM revoked.registration WHERE until < clock_timestamp()", until: deadline)
      try connection.query(
        """
        UPDATE revoked.handler SET removed_at = (extract(epoch FROM clock_timestamp()) * 1000)::bigint
        WHERE removed_at IS NULL AND NOT EXISTS (
          SELECT FROM revoked.registration WHERE handler = handler.name AND until > clock_timestamp())
        """, until: deadline)
    }
  }

  extension PostgreSQLStore {
    /// How long nobody else may lead. A node that dies is missed for as long.
    private static let leaseSeconds = 15
    /// What is left of it when the leader stops by itself: clocks differ, and what is under way must end.
    private static let margin = Duration.seconds(2)
    private static let renewal = Duration.seconds(5)
    /// A leader that stops lets go of its lease, and is to be followed soon.
    private static let askAgain = Duration.seconds(1)

    private func lease(_ handler: Int64, _ epoch: Int64, _ position: Int64) -> HandlerLease {
      HandlerLease(
        handler: handler, epoch: epoch, position: position, validity: .seconds(Self.leaseSeconds) - Self.margin,
        renewal: Self.renewal)
    }

    package func claim(
      _ handler: String, patterns: [String], at now: Timestamp
    ) throws(StoreError) -> HandlerClaim {
      guard mode != .inspect else { throw .readOnly(path: location) }
      var wanted = ArrayParameter(.text)
      for pattern in patterns { wanted.append(pattern) }
      let claims = try query(
        """
        SELECT * FROM revoked.claim_1($1, $2, $3, $4, interval '\(Self.leaseSeconds) seconds',
          interval '\(Registration.validity)')
        """, [Parameter(handler), Parameter(node.name), wanted.parameter, Parameter(now.milliseconds)]
      ) { row -> HandlerClaim in
        guard let epoch = try row.integerIfAny(1) else {
          let rest = Duration.milliseconds(try row.integerIfAny(3) ?? 0)
          return .follows(askAgainIn: min(rest + .milliseconds(50), Self.askAgain))
        }
        return .leads(lease(try row.integer(0), epoch, try row.integer(2)))
      }
      guard let claim = claims.first else { throw .corrupt(path: location, cause: "a claim returned nothing") }
      return claim
    }

    package func renew(_ lease: HandlerLease, patterns: [String]) throws(StoreError) -> Bool {
      var wanted = ArrayParameter(.text)
      for pattern in patterns { wanted.append(pattern) }
      return try use(within: .seconds(5)) { connection, deadline in
        try connection.query(
          """
          WITH renewed AS (
            UPDATE revoked.handler SET lease_until = clock_timestamp() + interval '\(Self.leaseSeconds) seconds'
            WHERE id = $1 AND epoch = $2 AND owner = $3 RETURNING name)
          INSERT INTO revoked.registration (node, handler, patterns, until)
          SELECT $3, name, $4, clock_timestamp() + interval '\(Registration.validity)' FROM renewed
          ON CONFLICT (node, handler) DO UPDATE SET patterns = excluded.patterns, until = excluded.until
          """,
          [Parameter(lease.handler), Parameter(lease.epoch), Parameter(node.name), wanted.parameter], until: deadline
        ).changes == 1
      }
    }

    package func release(_ lease: HandlerLease) throws(StoreError) {
      _ = try use(within: .seconds(2)) { connection, deadline in
        try connection.query(
          "UPDATE revoked.handler SET owner = NULL, lease_until = NULL WHERE id = $1 AND epoch = $2 AND owner = $3",
          [Parameter(lease.handler), Parameter(lease.epoch), Parameter(node.name)], until: deadline)
      }
    }

    package func leaders() throws(StoreError) -> [String: HandlerLeader]? {
      let leaders = try query(
        """
        SELECT name, owner, owner = $1,
          (extract(epoch FROM clock_timestamp() - lease_until) * 1000)::bigint + \(Self.leaseSeconds * 1000)
        FROM revoked.handler WHERE owner IS NOT NULL AND lease_until > clock_timestamp()
        """, [Parameter(node.name)]
      ) { row in
        let age = Duration.milliseconds(try row.integer(3))
        return try (row.text(0), HandlerLeader(node: row.text(1), isHere: row.bool(2), renewedAgo: max(age, .zero)))
      }
      return Dictionary(leaders) { first, _ in first }
    }

    package var patternsElsewhere: [String] { shared.patternsElsewhere }

    package func markRemoved(allBut names: [String], at now: Timestamp) throws(StoreError) {
      var kept = ArrayParameter(.text)
      for name in names { kept.append(name) }
      try markRemoved("<> ALL", kept.parameter, at: now)
    }

    package func markRemoved(_ name: String, at now: Timestamp) throws(StoreError) {
      var gone = ArrayParameter(.text)
      gone.append(name)
      try markRemoved("= ANY", gone.parameter, at: now)
    }

    /// Here they are gone at once; the handlers are, unless another node has them.
    private func markRemoved(_ comparison: String, _ names: Parameter, at now: Timestamp) throws(StoreError) {
      try use { connection, deadline in
        try connection.transaction(until: deadline) { connection in
          try connection.query(
            "DELETE FROM revoked.registration WHERE node = $1 AND handler \(comparison) ($2::text[])",
            [Parameter(node.name), names], until: deadline)
          try connection.query(
            """
            UPDATE revoked.handler SET removed_at = $2 WHERE removed_at IS NULL AND name \(comparison) ($1::text[])
              AND NOT EXISTS (
                SELECT FROM revoked.registration WHERE handler = handler.name AND until > clock_timestamp())
            """, [names, Parameter(now.milliseconds)], until: deadline)
        }
      }
    }
  }
#endif
