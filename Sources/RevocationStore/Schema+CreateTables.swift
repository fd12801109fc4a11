internal import GRDB

extension Schema {
  /// Schema 1. All times are milliseconds since 1970. What costs at ingest is pages dirtied by random keys, so there
  /// are exactly two such indexes: the one that deduplicates events and the one that answers look-ups.
  static func createTables(_ db: Database) throws {
    try db.execute(
      sql: """
        -- Every genuinely signed event, in the order of arrival; only ever appended to. `name` is NULL and `problem`
        -- says why when the body could not be decoded. `messages`: the messageIds it came under, separated by spaces.
        CREATE TABLE event (
          seq INTEGER PRIMARY KEY,
          key BLOB NOT NULL UNIQUE,
          name TEXT,
          problem TEXT,
          messages TEXT NOT NULL,
          received_at INTEGER NOT NULL,
          occurred_at INTEGER,
          body BLOB NOT NULL
        ) STRICT;

        -- The revoked sessions; `seq` is the feed's cursor. A row never changes but for `remember_from`, which only
        -- grows, and takes a new `seq` with it; it is forgotten at `remember_from` + retention + 1 h. The row's
        -- existence is the answer. It carries its event's id itself, because it may outlive the event.
        CREATE TABLE revocation (
          seq INTEGER PRIMARY KEY,
          session BLOB NOT NULL UNIQUE,
          revoked_at INTEGER NOT NULL,
          revoked_by TEXT NOT NULL,
          remember_from INTEGER NOT NULL,
          event_seq INTEGER NOT NULL,
          event_id TEXT
        ) STRICT;

        -- One row, updated once a transaction: the numbers given out and the counts. SQLite would hand out a rowid
        -- again once the newest row is pruned; AUTOINCREMENT would not, at the price of an update per row instead of
        -- one per transaction.
        CREATE TABLE tally (
          id INTEGER PRIMARY KEY CHECK (id = 1),
          last_event INTEGER NOT NULL DEFAULT 0,
          last_revocation INTEGER NOT NULL DEFAULT 0,
          events INTEGER NOT NULL DEFAULT 0,
          revocations INTEGER NOT NULL DEFAULT 0,
          undecodable INTEGER NOT NULL DEFAULT 0,
          last_received_at INTEGER,
          probes INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        INSERT INTO tally (id) VALUES (1);

        -- Every event up to `position` has been attempted at least once by this handler.
        CREATE TABLE handler (
          id INTEGER PRIMARY KEY,
          name TEXT NOT NULL UNIQUE,
          position INTEGER NOT NULL,
          added_at INTEGER NOT NULL
        ) STRICT;

        -- The exceptions alone: events that failed, and either wait for a retry (`next_at`) or are dead (`next_at`
        -- NULL). A row per event and handler would double the writes of ingest. The event table plus the position
        -- already is a queue, and delivers at least once, because the position moves only in the transaction that also
        -- records the failures before it: a crash in between repeats attempts and loses none.
        CREATE TABLE delivery (
          handler_id INTEGER NOT NULL,
          event_seq INTEGER NOT NULL,
          attempts INTEGER NOT NULL,
          attempted_at INTEGER NOT NULL,
          next_at INTEGER,
          last_error TEXT NOT NULL,
          PRIMARY KEY (handler_id, event_seq)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX delivery_due ON delivery (handler_id, next_at) WHERE next_at IS NOT NULL;
        """)
  }
}
