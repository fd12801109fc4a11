#if PostgreSQL
  internal import DynamicEvents
  internal import PostgreSQL
  internal import Storage

  /// What an opening finds and does, over one connection.
  struct Opening {
    var isNew = false
    let createdAt: Timestamp
    let retention: Retention
    let lastRevocation: Int64

    init(
      _ node: Node, _ mode: StoreMode, makesStore: Bool, retention: Retention, _ now: Timestamp,
      _ notify: (StoreNotice) -> Void
    ) throws {
      let path = node.url.description
      let deadline = Deadline.after(PostgreSQLStore.patience)
      let connection = try node.connect(until: deadline)
      (isNew, createdAt, self.retention, lastRevocation) = try connection.use { connection in
        let isNew = try Self.findSchema(connection, path, mode, makesStore: makesStore, notify, until: deadline)
        // To make the schema, or to wait for another that does, may have taken minutes.
        let deadline = Deadline.after(PostgreSQLStore.patience)
        if mode == .serve { try Schema.checkRights(connection, path, until: deadline) }
        let row = try connection.query(
          "SELECT (SELECT value::bigint FROM revoked.state WHERE name = 'created-at'), (\(Numbers.lastRevocation))",
          until: deadline)[0]
        let retention =
          mode == .serve
          ? try Retention.begin(retention, connection, at: now, until: deadline)
          : try Retention.fetch(connection, until: deadline) ?? retention
        return try (isNew, Timestamp(milliseconds: row.integer(0)), retention, row.integer(1))
      }
    }

    /// Throws what a server would throw that is started on the database, and makes nothing.
    static func check(
      _ connection: Connection, _ path: String, makesStore: Bool, until deadline: Deadline
    ) throws {
      switch try Schema.state(connection, until: deadline) {
      case .foreign: throw StoreError.misconfigured(path: path, cause: Schema.foreign.message)
      case .made(let number, let oldest) where oldest > Schema.current:
        throw StoreError.schema(path: path, found: number, known: Schema.current)
      case .made(let number, _) where number < Schema.current:
        guard try Schema.mayBeChanged(connection, until: deadline) else { throw mayNotMigrate(path) }
      case .made: try Schema.checkRights(connection, path, until: deadline)
      case .missing where makesStore:
        guard try Schema.mayBeMade(connection, until: deadline) else { throw mayNotMigrate(path) }
      case .missing: break
      }
    }

    private static func mayNotMigrate(_ path: String) -> StoreError {
      .misconfigured(
        path: path, cause: "the role may not make or change the schema: run `revoked migrate` as its owner")
    }

    /// Returns whether it was made now.
    private static func findSchema(
      _ connection: Connection, _ path: String, _ mode: StoreMode, makesStore: Bool, _ notify: (StoreNotice) -> Void,
      until deadline: Deadline
    ) throws -> Bool {
      switch try Schema.state(connection, until: deadline) {
      case .foreign: throw StoreError.misconfigured(path: path, cause: Schema.foreign.message)
      case .made(let number, _) where number == Schema.current: return false
      case .made(let number, let oldest) where number > Schema.current:
        guard oldest > Schema.current else { return false }
        throw StoreError.schema(path: path, found: number, known: Schema.current)
      case .made where mode == .serve: break
      case .made(let number, _): throw StoreError.schema(path: path, found: number, known: Schema.current)
      case .missing where mode != .serve: throw StoreError.missing(path: path)
      case .missing where !makesStore: throw StoreError.newStoreRefused(path: path)
      case .missing: break
      }
      do {
        return try Schema.migrate(connection) { notify(.migrating(from: $0, to: $1)) }
      } catch let error as PostgreSQLError where error.state == "42501" {
        throw mayNotMigrate(path)
      }
    }
  }

  /// The newest numbers that were given out and committed, in SQL.
  enum Numbers {
    static let lastRevocation = """
      SELECT greatest((SELECT max(seq) FROM revoked.revocation), (SELECT max(seq) FROM revoked.cutoff), last_revocation)
      FROM revoked.tally
      """
    static let lastEvent = "SELECT greatest((SELECT max(seq) FROM revoked.event), last_event) FROM revoked.tally"
  }

  extension Retention {
    /// That every period has in it, in milliseconds.
    private static let skew: Int64 = 3_600_000

    static func fetch(_ connection: Connection, until deadline: Deadline) throws(PostgreSQLError) -> Retention? {
      let rows = try connection.query("SELECT period, former, former_until FROM revoked.retention", until: deadline)
      guard rows.count == 1 else { return nil }
      var retention = try Retention(.milliseconds(rows[0].integer(0) - skew))
      if try rows[0].integer(1) > 0 {
        retention.former = try (rows[0].integer(1), Timestamp(milliseconds: rows[0].integer(2)))
      }
      return retention
    }

    /// Takes the place of the retention that a server was started with before, for all nodes. A shorter one counts a
    /// day from now: what was answered 200 until now is to be refused for a day.
    static func begin(
      _ asked: Retention, _ connection: Connection, at now: Timestamp, until deadline: Deadline
    ) throws -> Retention {
      try connection.transaction(until: deadline) { connection in
        try connection.query("SELECT pg_advisory_xact_lock(\(Schema.appendLock))", until: deadline)
        var retention = asked
        if let last = try fetch(connection, until: deadline) { retention.former = last.outlasting(asked, at: now) }
        try connection.query(
          """
          INSERT INTO revoked.retention (id, period, former, former_until) VALUES (1, $1, $2, $3)
          ON CONFLICT (id) DO UPDATE SET period = excluded.period, former = excluded.former,
            former_until = excluded.former_until
          """,
          [
            Parameter(retention.period), Parameter(retention.former?.period ?? 0),
            Parameter(retention.former?.until.milliseconds ?? 0),
          ], until: deadline)
        return retention
      }
    }

    /// What goes on counting beside the new one.
    private func outlasting(_ asked: Retention, at now: Timestamp) -> (period: Int64, until: Timestamp)? {
      let (former, formerUntil) = former ?? (0, Timestamp(milliseconds: 0))
      let longest = now < formerUntil ? max(period, former) : period
      guard longest > asked.period else { return nil }
      // Restarts alone do not make the day any longer.
      let until = asked.period < period ? Timestamp(milliseconds: now.milliseconds + Retention.day) : formerUntil
      return (longest, until)
    }
  }
#endif
