internal import GRDB

extension Schema {
  /// Copies of the revocations in their index's runs (`RevocationCopy`), and checksums of what look-ups rely on in all runs: these are written anew
  /// from the rows.
  ///
  /// The runs of copies go by another name than those before them: a program that was there before, and has the store open still, finds none,
  /// reads the rows, and takes no copy for something else.
  static func addCopiesAndChecksums(_ db: Database) throws {
    try db.execute(
      sql: """
        -- What is remembered from before this time may have been forgotten.
        ALTER TABLE tally ADD COLUMN forgotten_before INTEGER NOT NULL DEFAULT 0;

        -- A revocation's entry is seven words now: the hash and the row's number, the second half of the session, `remember_from`, `revoked_at` and
        -- who in one, and the event's id in two.
        -- The entries' checksum, and that of the numbers, fences and filter.
        ALTER TABLE key_block ADD COLUMN checksum INTEGER;
        ALTER TABLE key_run ADD COLUMN checksum INTEGER;

        DELETE FROM key_block;
        DELETE FROM key_run;
        """)
    try RunsBuilder<EventPlace>.writeAll(db)
    try RunsBuilder<RevocationCopy>.writeAll(db)
  }
}
