internal import GRDB

extension Schema {
  /// Copies of the revocations in their index's runs (`RevocationCopy`). They go by another name than the runs before them: a program that was
  /// there before, and has the store open still, finds none, reads the rows, and takes no copy for something else.
  static func copyRevocations(_ db: Database) throws {
    try db.execute(
      sql: """
        -- What is remembered from before this time may have been forgotten.
        ALTER TABLE tally ADD COLUMN forgotten_before INTEGER NOT NULL DEFAULT 0;

        DELETE FROM key_block WHERE id >> 20 IN (SELECT id FROM key_run WHERE indexed = 'revocation');
        DELETE FROM key_run WHERE indexed = 'revocation';
        """)
    var runs = RunsBuilder<RevocationCopy>()
    try RevocationCopy.forEach(after: 0, db) { try runs.append($0, db) }
    try runs.finish(db)
  }
}
