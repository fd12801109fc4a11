#if PostgreSQL
  internal import PostgreSQL
  package import Storage

  extension PostgreSQLStore {
    /// Each of these reads whole tables.
    private static let longPatience = Duration.seconds(600)

    /// What must be none. PostgreSQL's own checks (checksums, amcheck) are its administrator's.
    private static let faults = [
      (
        StoreStage.counts,
        """
        SELECT 'retries of handler ' || name || ': ' || retrying || ' noted, ' || found || ' found' FROM (
          SELECT name, retrying, (SELECT count(*) FROM revoked.delivery
            WHERE handler_id = handler.id AND next_at IS NOT NULL) AS found FROM revoked.handler) each
        WHERE retrying <> found
        """
      ),
      (
        .counts,
        """
        SELECT 'dead deliveries of handler ' || name || ': ' || dead || ' noted, ' || found || ' found' FROM (
          SELECT name, dead, (SELECT count(*) FROM revoked.delivery
            WHERE handler_id = handler.id AND next_at IS NULL) AS found FROM revoked.handler) each
        WHERE dead <> found
        """
      ),
      (
        .counts,
        """
        SELECT 'deliveries of no handler: ' || count(*) FROM revoked.delivery
        WHERE handler_id NOT IN (SELECT id FROM revoked.handler) HAVING count(*) > 0
        """
      ),
      (
        .events,
        """
        SELECT 'event ' || seq || ' is beyond the numbers given out' FROM revoked.event
        WHERE seq > (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM revoked.event_number) LIMIT 20
        """
      ),
      (
        .revocations,
        """
        SELECT 'the feed''s number ' || seq || ' is beyond those given out'
        FROM (SELECT seq FROM revoked.revocation UNION ALL SELECT seq FROM revoked.cutoff) each
        WHERE seq > (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM revoked.revocation_number) LIMIT 20
        """
      ),
      (
        .revocations,
        """
        SELECT 'the feed''s number ' || seq || ' stands for a session and a cut-off'
        FROM revoked.revocation JOIN revoked.cutoff USING (seq) LIMIT 20
        """
      ),
    ]

    package func findFaults(
      progress: (_ stage: StoreStage, _ done: Int, _ total: Int) -> Void
    ) throws(StoreError) -> [String] {
      try use(within: Self.longPatience) { connection, deadline in
        try connection.transaction(until: deadline) { connection in
          try connection.execute("SET LOCAL statement_timeout = 0", until: deadline)
          var found: [String] = []
          for (index, (stage, sql)) in Self.faults.enumerated() {
            progress(stage, index, Self.faults.count)
            found += try connection.query(sql, until: deadline).map { try $0.text(0) }
          }
          return found
        }
      }
    }

    /// The counts, which is all that follows from the rows and is not PostgreSQL's own.
    package func rebuild(progress: (_ stage: StoreStage, _ done: Int, _ total: Int) -> Void) throws(StoreError) -> Int {
      guard mode == .repair else { throw .readOnly(path: location) }
      progress(.counts, 0, 1)
      return try change { connection, _ in
        let deadline = Deadline.after(Self.longPatience)
        try connection.execute(
          """
          SET LOCAL statement_timeout = 0;
          LOCK TABLE revoked.handler IN SHARE ROW EXCLUSIVE MODE;
          DELETE FROM revoked.delivery WHERE handler_id NOT IN (SELECT id FROM revoked.handler);
          UPDATE revoked.handler SET
            retrying = (SELECT count(*) FROM revoked.delivery WHERE handler_id = handler.id AND next_at IS NOT NULL),
            dead = (SELECT count(*) FROM revoked.delivery WHERE handler_id = handler.id AND next_at IS NULL);
          SELECT setval('revoked.event_number', greatest(last_value, (SELECT max(seq) FROM revoked.event)),
            is_called OR EXISTS (SELECT FROM revoked.event)) FROM revoked.event_number;
          SELECT setval('revoked.revocation_number',
            greatest(last_value, (SELECT max(seq) FROM revoked.revocation), (SELECT max(seq) FROM revoked.cutoff)),
            is_called OR EXISTS (SELECT FROM revoked.revocation) OR EXISTS (SELECT FROM revoked.cutoff))
            FROM revoked.revocation_number
          """, until: deadline)
        let counts = try connection.query(
          """
          UPDATE revoked.tally SET events = (SELECT count(*) FROM revoked.event),
            revocations = (SELECT count(*) FROM revoked.revocation),
            counted_event = (\(Numbers.lastEvent)), counted_revocation = (\(Numbers.lastRevocation))
          RETURNING events + revocations
          """, until: deadline)
        return Int(try counts[0].integer(0))
      }
    }
  }
#endif
