#if PostgreSQL
  internal import Dispatch
  internal import PostgreSQL
  internal import Synchronization

  /// The connection over which numbers are given out. One at a time uses it: what appends, and seldom what puts dead
  /// letters back.
  final class Writer: Sendable {
    private let node: Node
    private let current = Mutex<NodeConnection?>(nil)
    private let turn = DispatchSemaphore(value: 1)

    init(_ node: Node) {
      self.node = node
    }

    func use<Value>(until deadline: Deadline, _ body: (Connection) throws -> Value) throws -> Value {
      guard turn.wait(until: deadline) else { throw PostgreSQLError(.timedOut, "another append takes too long") }
      defer { turn.signal() }
      var connection = current.withLock { $0 }
      if connection?.isUsable != true {
        current.withLock { $0 = nil }
        connection = try begin(until: deadline)
        current.withLock { $0 = connection }
      }
      guard let connection else { throw PostgreSQLError(.unreachable, "there is no connection") }
      return try connection.use(body)
    }

    /// A new connection may be to a server that lost what was acknowledged last: a standby that followed at a distance.
    /// The numbers that it gives out from now on belong to another history, and the feed's cursors say so.
    private func begin(until deadline: Deadline) throws -> NodeConnection {
      let connection = try node.connect(until: min(deadline, .after(.seconds(3))))
      try connection.use { connection in
        try connection.execute("SET plan_cache_mode = force_generic_plan", until: deadline)
        try connection.transaction(until: deadline) { connection in
          try connection.query("SELECT pg_advisory_xact_lock(\(Schema.appendLock))", until: deadline)
          try connection.query(
            """
            INSERT INTO revoked.feed_epoch (first_seq, id) SELECT (\(Numbers.lastRevocation)) + 1, $1::bigint
            ON CONFLICT (first_seq) DO UPDATE SET id = excluded.id
            """, [Parameter(Int64(UInt32.random(in: .min ... .max)))], until: deadline)
        }
      }
      return connection
    }
  }
#endif
