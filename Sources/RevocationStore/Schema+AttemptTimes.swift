internal import GRDB

extension Schema {
  /// When each attempt of a delivery failed (`AttemptTimes`), and the indexes by which dead letters are found: they hold exceptions only, so
  /// that ingest pays nothing for them.
  static func keepAttemptTimes(_ db: Database) throws {
    try db.execute(
      sql: """
        ALTER TABLE delivery ADD COLUMN attempt_times TEXT NOT NULL DEFAULT '';
        CREATE INDEX delivery_dead ON delivery (handler_id, event_seq) WHERE next_at IS NULL;
        CREATE INDEX event_undecodable ON event (seq) WHERE problem IS NOT NULL;
        """)
  }
}
