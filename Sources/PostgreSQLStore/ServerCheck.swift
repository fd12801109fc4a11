#if PostgreSQL
  internal import PostgreSQL

  /// What a server must be like, and what each connection has to be set to.
  enum ServerCheck {
    /// The oldest release with `pg_current_xact_id`.
    private static let oldest = 130_000

    /// Before anything is sent.
    static func check(_ url: ConnectionURL) throws(PostgreSQLError) {
      if !url.isLocal, url.sslMode == nil {
        throw refused("it goes to another machine and has no sslmode: add sslmode=verify-full")
      }
    }

    static let standbyIsAway =
      "commits wait for a synchronous standby that is away: bring it back, or change synchronous_standby_names"

    /// One round trip at the beginning of each connection. Returns which server it is, and how many commits of
    /// nodes have waited for the standby for longer than one takes.
    ///
    /// A plan that was made while a table was empty may be used until somebody analyses the table, however large it has
    /// become: so no plan may read a table as a whole where an index leads to the rows.
    static func begin(
      _ connection: Connection, until deadline: Deadline
    ) throws(PostgreSQLError) -> (ServerIdentity, waitingForStandby: Int) {
      // As text: a pooler knows no statement that was prepared on another of its connections.
      let row = try connection.execute(
        """
        SELECT pg_backend_pid(), pg_is_in_recovery(), current_setting('transaction_read_only'),
          current_setting('fsync'), current_setting('server_version_num'), getdatabaseencoding(),
          (SELECT system_identifier FROM pg_control_system()),
          CASE WHEN pg_is_in_recovery() THEN '' ELSE left(pg_walfile_name(pg_current_wal_lsn()), 8) END,
          pg_postmaster_start_time(),
          set_config('search_path', 'pg_catalog', false),
          set_config('default_transaction_isolation', 'read committed', false),
          set_config('statement_timeout', '5s', false), set_config('lock_timeout', '4s', false),
          set_config('jit', 'off', false), set_config('enable_seqscan', 'off', false),
          set_config('enable_bitmapscan', 'off', false),
          set_config('idle_in_transaction_session_timeout', '10s', false),
          set_config('tcp_keepalives_idle', '5', false), set_config('tcp_keepalives_interval', '2', false),
          set_config('tcp_keepalives_count', '3', false),
          set_config('synchronous_commit', CASE current_setting('synchronous_commit')
            WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false),
          (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE datname = current_database()
            AND usename = current_user AND application_name = current_setting('application_name')
            AND wait_event = 'SyncRep' AND query_start < clock_timestamp() - interval '3 seconds')
        """, until: deadline)[0]
      guard try row.text(0) == String(connection.backend) else {
        throw refused("a connection pooler stands in front of the server: connect to PostgreSQL itself")
      }
      guard try Int(row.text(4)) ?? 0 >= oldest else { throw refused("the server is older than PostgreSQL 13") }
      // Another of the servers may have become the primary.
      guard try row.text(1) == "f", try row.text(2) == "off" else {
        throw PostgreSQLError(.unreachable, state: "25006", "the server is read-only: a standby, or set to be")
      }
      guard try row.text(3) == "on" else {
        throw refused("the server has fsync off, and would lose what was acknowledged: turn it on")
      }
      guard try row.text(5) == "UTF8" else { throw refused("the database's encoding is not UTF8") }
      return try (
        ServerIdentity(system: row.text(6), timeline: row.text(7), startedAt: row.text(8)), Int(row.text(21)) ?? 0
      )
    }

    private static func refused(_ message: String) -> PostgreSQLError { PostgreSQLError(.refused, message) }
  }
#endif
