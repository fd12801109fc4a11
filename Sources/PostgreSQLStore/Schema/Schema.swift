#if PostgreSQL
  internal import PostgreSQL
  internal import Storage

  /// What stands in the database, by number. The first release's is 1. Changes only ever add, so that two releases can
  /// work side by side; `meta.oldest_release` says from which number on a program may.
  enum Schema {
    static let current = migrations.count
    /// The oldest number whose programs may work beside this one's.
    static let oldest = 1

    /// The first one makes everything, each other one adds to it.
    static let migrations = [tables + functions]

    enum State: Hashable {
      /// There is nothing of ours, and nothing in our place.
      case missing
      case made(number: Int, oldest: Int)
      /// Something else stands in our place.
      case foreign
    }

    static func state(_ connection: Connection, until deadline: Deadline) throws(PostgreSQLError) -> State {
      let row = try connection.query(
        """
        SELECT EXISTS (SELECT FROM pg_class WHERE relnamespace = n.oid),
          (SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid
            WHERE relnamespace = n.oid AND relname = 'meta' AND attname IN ('id', 'schema', 'oldest_release'))
        FROM (SELECT to_regnamespace('revoked')::oid) AS n (oid)
        """, until: deadline)[0]
      guard try row.bool(0) else { return .missing }
      guard try row.integer(1) == 3 else { return .foreign }
      let found = try connection.query("SELECT schema, oldest_release FROM revoked.meta", until: deadline)
      guard found.count == 1 else { return .foreign }
      return try .made(number: Int(found[0].integer(0)), oldest: Int(found[0].integer(1)))
    }

    /// Makes or upgrades the schema, if that is to be done; one node at a time, and the others then find it done.
    ///
    /// A transaction that reads a table for long, as a backup does, keeps the migration from its lock, and whatever
    /// wants the table next waits behind the migration. So it waits briefly, lets the others go on, and tries again.
    ///
    /// - Parameter begins: called with the numbers before an existing one is changed.
    /// - Returns: whether there was none.
    static func migrate(
      _ connection: Connection, by migrations: [String] = migrations, begins: (_ from: Int, _ to: Int) -> Void
    ) throws -> Bool {
      // Another node's migration may take its time.
      let deadline = Deadline.after(.seconds(120))
      var hasBegun = false
      while true {
        do {
          return try migrateAtOnce(connection, by: migrations, until: deadline) { from, to in
            if !hasBegun { begins(from, to) }
            hasBegun = true
          }
        } catch let error as PostgreSQLError {
          // It got no lock in time, or it and another each had one that the other wanted.
          guard ["55P03", "40P01"].contains(error.state), Deadline.now + .seconds(5) < deadline else { throw error }
          try connection.query("SELECT pg_sleep(1)", until: deadline)
        }
      }
    }

    /// In one transaction.
    private static func migrateAtOnce(
      _ connection: Connection, by migrations: [String], until deadline: Deadline, begins: (Int, Int) -> Void
    ) throws -> Bool {
      try connection.transaction(until: deadline) { connection in
        try connection.execute(
          """
          SET LOCAL lock_timeout = '60s'; SET LOCAL statement_timeout = '60s';
          SELECT pg_advisory_xact_lock(\(migrationLock))
          """, until: deadline)
        // For each table, of the 900 ms that look-ups wait.
        try connection.execute("SET LOCAL lock_timeout = '200ms'", until: deadline)
        let from: Int
        switch try state(connection, until: deadline) {
        case .foreign: throw foreign
        case .missing: from = 0
        case .made(let number, _): from = number
        }
        guard from < migrations.count else { return false }
        if from > 0 { begins(from, migrations.count) }
        for migration in migrations.dropFirst(from) { try connection.execute(migration, until: deadline) }
        try connection.execute(
          """
          INSERT INTO revoked.meta (id, schema, oldest_release) VALUES (1, \(migrations.count), \(oldest))
          ON CONFLICT (id) DO UPDATE SET schema = excluded.schema, oldest_release = excluded.oldest_release
          """, until: deadline)
        return from == 0
      }
    }

    static let foreign = PostgreSQLError(.refused, "its schema revoked is another program's")

    static func mayBeMade(_ connection: Connection, until deadline: Deadline) throws(PostgreSQLError) -> Bool {
      // An empty one of the name may be there.
      try connection.query(
        """
        SELECT has_database_privilege(current_database(), 'CREATE')
          AND coalesce(has_schema_privilege(to_regnamespace('revoked')::oid, 'CREATE'), true)
        """, until: deadline)[0].bool(0)
    }

    /// By its owner and who has that role.
    static func mayBeChanged(_ connection: Connection, until deadline: Deadline) throws(PostgreSQLError) -> Bool {
      try connection.query(
        """
        SELECT coalesce(bool_or(pg_has_role(nspowner, 'USAGE')), false) FROM pg_namespace WHERE nspname = 'revoked'
        """, until: deadline)[0].bool(0)
    }

    /// What a node uses. A newer release's schema may have more in it, which this one needs no rights to.
    private static let (reads, writes, sequences) = (
      ["meta"],
      [
        "event", "revocation", "cutoff", "tally", "heard", "state", "feed_epoch", "retention", "handler",
        "registration", "duty", "delivery",
      ],
      ["event_number", "revocation_number", "beat"]
    )

    /// Throws `misconfigured` where the role may not do all that a node does.
    static func checkRights(_ connection: Connection, _ path: String, until deadline: Deadline) throws {
      func list(_ names: [String]) -> String { names.map { "'\($0)'" }.joined(separator: ", ") }
      let missing = try connection.query(
        """
        SELECT CASE WHEN NOT has_schema_privilege('revoked', 'USAGE') THEN 'the schema revoked' ELSE (
          SELECT string_agg(name, ', ' ORDER BY name) || ' in the schema revoked' FROM (
            SELECT relname::text FROM pg_class WHERE relnamespace = 'revoked'::regnamespace AND CASE
              WHEN relname IN (\(list(sequences))) THEN
                NOT (has_sequence_privilege(oid, 'SELECT') AND has_sequence_privilege(oid, 'UPDATE'))
              WHEN relname IN (\(list(reads + writes))) THEN NOT (has_table_privilege(oid, 'SELECT')
                AND (relname IN (\(list(reads))) OR has_table_privilege(oid, 'INSERT')
                  AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE')))
              ELSE false END
            UNION ALL
            SELECT proname::text FROM pg_proc WHERE pronamespace = 'revoked'::regnamespace
              AND proname IN (\(list(functionNames))) AND NOT has_function_privilege(oid, 'EXECUTE')
          ) AS missing (name)) END
        """, until: deadline)[0].textIfAny(0)
      guard let missing else { return }
      throw StoreError.misconfigured(
        path: path, cause: "the role lacks rights to \(missing), which its owner can grant")
    }
  }
#endif
