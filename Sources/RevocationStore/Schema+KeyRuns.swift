internal import GRDB

extension Schema {
  /// The runs in which rows are found by their random keys (`KeyIndex`), in place of the tables' unique indexes: each of those had a page to dirty
  /// at random for every event. SQLite lets no such index go, so the rows move to new tables.
  static func keepKeyRuns(_ db: Database) throws {
    try db.execute(
      sql: """
        ALTER TABLE event RENAME TO former_event;
        CREATE TABLE event (
          seq INTEGER PRIMARY KEY,
          key BLOB NOT NULL,
          name TEXT,
          problem TEXT,
          messages TEXT NOT NULL,
          received_at INTEGER NOT NULL,
          occurred_at INTEGER,
          body BLOB NOT NULL
        ) STRICT;
        INSERT INTO event SELECT * FROM former_event ORDER BY seq;
        DROP TABLE former_event;
        CREATE INDEX event_undecodable ON event (seq) WHERE problem IS NOT NULL;

        ALTER TABLE revocation RENAME TO former_revocation;
        CREATE TABLE revocation (
          seq INTEGER PRIMARY KEY,
          session BLOB NOT NULL,
          revoked_at INTEGER NOT NULL,
          revoked_by TEXT NOT NULL,
          remember_from INTEGER NOT NULL,
          event_seq INTEGER NOT NULL,
          event_id TEXT
        ) STRICT;
        INSERT INTO revocation SELECT * FROM former_revocation ORDER BY seq;
        DROP TABLE former_revocation;

        -- `fences` is each block's first hash, `filter` a Bloom filter, both words of eight bytes, the least significant first. Without them the run
        -- is not, or no longer, part of the index of the table `indexed`, and is about to be deleted. The last row that it was told of is `last_seq`.
        -- A number is never given out twice: a look-up that is under way may still have it.
        CREATE TABLE key_run (
          id INTEGER PRIMARY KEY AUTOINCREMENT,
          indexed TEXT NOT NULL,
          level INTEGER NOT NULL,
          last_seq INTEGER NOT NULL,
          fences BLOB,
          filter BLOB
        ) STRICT;

        -- The entries of all runs, by run << 20 | the block's place in it: a hash and a row's number, eight bytes each, the least significant first.
        CREATE TABLE key_block (
          id INTEGER PRIMARY KEY,
          entries BLOB NOT NULL
        ) STRICT;
        """)
    // The runs themselves are written by the next step, in the form that they have now.
  }
}
