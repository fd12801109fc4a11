#if PostgreSQL
  internal import DynamicEvents
  internal import PostgreSQL
  package import Storage

  extension PostgreSQLStore: StoreCopying {
    /// For a page of rows; the other store's work lies between two.
    private static let pagePatience = Duration.seconds(30)

    private static var soon: Deadline { .after(pagePatience) }

    package func export(_ take: CopiedRows.Taking) throws(StoreError) -> Tally {
      try copying { connection in
        try connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY", until: Self.soon)
        try Self.waitForNobody(connection, at: location)
        for table in CopiedTable.all {
          try table.export(take) { behind in try table.page(connection, behind, until: Self.soon) }
        }
        return try Self.tally(connection, until: Self.soon)
      }
    }

    package func load(_ rows: (_ take: CopiedRows.Taking) throws -> Tally) throws(StoreError) {
      guard mode == .amend else { throw .readOnly(path: location) }
      try copying { connection in
        try connection.execute("BEGIN", until: Self.soon)
        try connection.query("SELECT pg_advisory_xact_lock(\(Schema.appendLock))", until: Self.soon)
        let isEmpty = try connection.query(
          """
          SELECT NOT EXISTS (SELECT FROM revoked.event) AND NOT EXISTS (SELECT FROM revoked.revocation)
            AND NOT EXISTS (SELECT FROM revoked.cutoff) AND NOT EXISTS (SELECT FROM revoked.handler)
          """, until: Self.soon)[0].bool(0)
        guard isEmpty else { throw StoreError.exists(path: location) }
        // What a new store has.
        for table in ["state", "retention", "feed_epoch"] {
          try connection.query("DELETE FROM revoked.\(table)", until: Self.soon)
        }
        let tally = try rows { page in
          do {
            try page.table.insert(page.rows, connection, until: Self.soon)
          } catch {
            throw StoreError(error, at: self.location)
          }
        }
        try Self.count(tally, connection, until: Self.soon)
      }
    }

    /// One transaction: all of it or nothing.
    private func copying<Value>(_ body: (Connection) throws -> Value) throws(StoreError) -> Value {
      do {
        let connection = try node.connect(until: .after(Self.patience))
        return try connection.use { connection in
          // The other store may take its time between two pages.
          try connection.execute(
            "SET idle_in_transaction_session_timeout = '10min'; SET statement_timeout = '30s'", until: Self.soon)
          let value = try body(connection)
          try connection.execute("COMMIT", until: Self.soon)
          return value
        }
      } catch {
        throw StoreError(error, at: location)
      }
    }

    /// A server's connections go when it is stopped, a moment later. Those of another role's servers are not seen.
    private static func waitForNobody(_ connection: Connection, at location: String) throws {
      let end = Deadline.after(.seconds(3))
      while true {
        let others = try connection.query(
          """
          SELECT count(*) FROM pg_stat_activity
          WHERE datname = current_database() AND application_name = '\(Node.application)' AND pid <> pg_backend_pid()
          """, until: soon)[0].integer(0)
        if others == 0 { return }
        guard !end.hasPassed else { throw StoreError.locked(path: location, pid: nil) }
        try connection.query("SELECT pg_sleep(0.05), pg_stat_clear_snapshot()", until: soon)
      }
    }

    /// What is derived from the rows.
    private static func count(_ tally: Tally, _ connection: Connection, until deadline: Deadline) throws {
      let numbers = [Parameter(tally.lastEvent), Parameter(tally.lastRevocation)]
      try connection.query(
        """
        SELECT setval('revoked.event_number', greatest($1::bigint, 1), $1 > 0),
          setval('revoked.revocation_number', greatest($2::bigint, 1), $2 > 0),
          setval(pg_get_serial_sequence('revoked.handler', 'id'), greatest(max(id), 1), max(id) IS NOT NULL)
        FROM revoked.handler
        """, numbers, until: deadline)
      try connection.query(
        """
        UPDATE revoked.tally SET last_event = $1, last_revocation = $2, counted_event = $1, counted_revocation = $2,
          events = e.count, revocations = r.count, departures = $2 - r.count - c.count, changes = changes + 1
        FROM (SELECT count(*) FROM revoked.event) e, (SELECT count(*) FROM revoked.revocation) r,
          (SELECT count(*) FROM revoked.cutoff) c
        """, numbers, until: deadline)
      guard let heard = tally.lastReceivedAt else { return }
      try connection.query(
        "INSERT INTO revoked.heard VALUES (1, $1)", [Parameter(heard.milliseconds)], until: deadline)
    }
  }

  extension CopiedTable {
    fileprivate func page(
      _ connection: Connection, _ behind: [CopiedValue]?, until deadline: Deadline
    ) throws -> [[CopiedValue]] {
      let list = columns.map { $0.kind == .uuidText ? "\($0.name)::text" : $0.name }.joined(separator: ", ")
      let order = key.map(\.name).joined(separator: ", ")
      let places = zip(1..., key).map { "$\($0)::\($1.kind.type)" }.joined(separator: ", ")
      let condition = behind == nil ? "" : "WHERE (\(order)) > (\(places))"
      return try connection.query(
        "SELECT \(list) FROM revoked.\(name) \(condition) ORDER BY \(order) LIMIT \(CopiedRows.most)",
        (behind ?? []).map(\.parameter), until: deadline
      ).map { row in
        try zip(CInt(0)..., columns).map { index, column in try column.value(of: row, at: index) }
      }
    }

    fileprivate func insert(_ rows: [[CopiedValue]], _ connection: Connection, until deadline: Deadline) throws {
      let names = columns.map(\.name).joined(separator: ", ")
      let values = columns.map { $0.kind == .uuidText ? "given.\($0.name)::uuid" : "given.\($0.name)" }
      let arrays = zip(1..., columns).map { "$\($0)::\($1.kind.type)[]" }
      let parameters = columns.indices.map { index in
        var array = ArrayParameter(columns[index].kind.element)
        for row in rows { array.append(row[index]) }
        return array.parameter
      }
      try connection.query(
        """
        INSERT INTO revoked.\(name) (\(names)) OVERRIDING SYSTEM VALUE SELECT \(values.joined(separator: ", "))
        FROM unnest(\(arrays.joined(separator: ", "))) AS given (\(names))
        """, parameters, until: deadline)
    }
  }

  extension CopiedTable.Column {
    fileprivate func value(of row: Row, at index: CInt) throws(PostgreSQLError) -> CopiedValue {
      if row.isNull(index) { return .none }
      return switch kind {
      case .integer: .integer(try row.integer(index))
      case .text, .uuidText: .text(try row.text(index))
      case .bytes, .uuid: .bytes(try row.bytes(index))
      }
    }
  }

  extension CopiedTable.Kind {
    fileprivate var element: ArrayParameter.Element {
      switch self {
      case .integer: .bigint
      case .text, .uuidText: .text
      case .bytes: .bytea
      case .uuid: .uuid
      }
    }

    fileprivate var type: String { "\(element)" }
  }

  extension CopiedValue {
    fileprivate var parameter: Parameter {
      switch self {
      case .none: .null
      case .integer(let number): Parameter(number)
      case .text(let text): Parameter(text)
      case .bytes(let bytes): Parameter(bytes)
      }
    }
  }

  extension ArrayParameter {
    fileprivate mutating func append(_ value: CopiedValue) {
      switch value {
      case .none: appendNull()
      case .integer(let number): append(number)
      case .text(let text): append(text)
      case .bytes(let bytes): append(bytes)
      }
    }
  }
#endif
