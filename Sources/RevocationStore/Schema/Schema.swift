internal import KeyIndex
internal import SQLite
internal import Storage

/// The tables, by number. A migration of a released version is never edited: the next change is the next number.
struct Schema: Sendable {
  /// In the file's header (SQLite's `application_id`): "rvk1". Another program's database is never touched.
  static let applicationID = 0x7276_6B31
  /// "rvkd": builds before the first release, whose schemas had numbers of their own. No program migrates them.
  static let formerApplicationID = 0x7276_6B64

  static let current = Schema(migrations: [createTables])

  /// The first one makes the tables, each other one changes them.
  let migrations: [@Sendable (Connection) throws -> Void]

  var version: Int { migrations.count }

  /// Refuses what is not a store, and one of a newer program, before anything is written. Returns the schema's number:
  /// 0 for a new file.
  func check(_ db: Connection, path: String) throws -> Int {
    let application = try db.first("PRAGMA application_id") { row in try Int(row.integer(0)) } ?? 0
    let found = try db.first("PRAGMA user_version") { row in try Int(row.integer(0)) } ?? 0
    switch application {
    case Self.applicationID: break
    case Self.formerApplicationID: throw StoreError.earlierBuild(path: path)
    case 0 where try found == 0 && db.first("SELECT 1 FROM sqlite_schema LIMIT 1", make: { _ in true }) == nil:
      return 0
    default: throw StoreError.foreign(path: path, cause: "it is another program's database")
    }
    guard found >= 1 else { throw StoreError.corrupt(path: path, cause: "it has no schema number") }
    guard found <= version else { throw StoreError.schema(path: path, found: found, known: version) }
    return found
  }

  /// The same, and refuses an older one as well: only the server migrates.
  func checkIsCurrent(_ db: Connection, path: String) throws {
    let found = try check(db, path: path)
    guard found == version else { throw StoreError.schema(path: path, found: found, known: version) }
  }

  /// Takes each step in a transaction of its own, with its number: a crash between two leaves a whole schema.
  ///
  /// A step may write every row anew. SQLite's log would keep all of that until the end, and takes the longer to find a
  /// page the more it has: ten million events were not done in ten minutes. A rollback journal has only the pages that
  /// were there before and change. While a command has the store open there is no leaving the log, and it goes the long
  /// way.
  ///
  /// - Parameter begins: called with the numbers before a store is migrated that is not new.
  func migrate(_ db: Connection, from found: Int, begins: (_ from: Int, _ to: Int) -> Void) throws {
    guard found < version else { return }
    if found > 0 { begins(found, version) }
    try? db.execute("PRAGMA journal_mode = DELETE")
    for (number, migration) in zip(1..., migrations).dropFirst(found) {
      try db.write {
        try migration(db)
        try db.execute("PRAGMA application_id = \(Self.applicationID)")
        try db.execute("PRAGMA user_version = \(number)")
      }
    }
    try Self.turnLogOn(db)
  }

  static func turnLogOn(_ db: Connection) throws {
    guard try db.first("PRAGMA journal_mode = WAL", make: { try $0.text(0) }) == "wal" else {
      throw SQLiteError.io("the write-ahead log cannot be turned on")
    }
    // Makes the log's files: from now on they are to stay the same.
    try db.write {}
  }
}

extension Schema {
  /// Schema 1. All times are milliseconds since 1970. What costs at ingest is pages dirtied by random keys, so rows are
  /// found by their random keys through runs (`KeyIndex`), and no index of SQLite's has such a key.
  static func createTables(_ db: Connection) throws {
    try db.execute(
      """
      -- Every event, in the order of arrival; only ever appended to. `name` is NULL and `problem` says why when the
      -- body could not be decoded. `source`: webhook, message, event or operator. `messages`: the messageIds it
      -- came under, separated by spaces.
      CREATE TABLE event (
        seq INTEGER PRIMARY KEY,
        key BLOB NOT NULL,
        name TEXT,
        problem TEXT,
        source TEXT NOT NULL,
        messages TEXT NOT NULL,
        received_at INTEGER NOT NULL,
        occurred_at INTEGER,
        body BLOB NOT NULL
      ) STRICT;
      CREATE INDEX event_undecodable ON event (seq) WHERE problem IS NOT NULL;

      -- The revoked sessions; `seq` is the number in the feed. A row never changes but for `remember_from`, which
      -- only grows, and takes a new `seq` with it; it is forgotten at `remember_from` + retention + 1 h. The row's
      -- existence is the answer. It carries its event's id itself, because it may outlive the event. `revoked_by`:
      -- user, admin or operator.
      CREATE TABLE revocation (
        seq INTEGER PRIMARY KEY,
        session BLOB NOT NULL,
        revoked_at INTEGER NOT NULL,
        revoked_by TEXT NOT NULL,
        remember_from INTEGER NOT NULL,
        event_seq INTEGER NOT NULL,
        event_id TEXT
      ) STRICT;

      -- Whose JWTs are refused that were issued at `before` or earlier: those of a user or of an environment (`kind`,
      -- `id`). `seq` is a number of the feed, as a revocation's is. Both times only grow, and take a new `seq` with
      -- them. After `expires_at` no such JWT can be valid any more.
      CREATE TABLE cutoff (
        seq INTEGER PRIMARY KEY,
        kind TEXT NOT NULL CHECK (kind IN ('user', 'environment')),
        id TEXT NOT NULL,
        before INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        event_seq INTEGER NOT NULL,
        UNIQUE (kind, id)
      ) STRICT;

      -- One row, updated once a transaction: the numbers given out and the counts. SQLite would hand out a rowid
      -- again once the newest row is pruned; AUTOINCREMENT would not, at the price of an update per row instead of
      -- one per transaction. `last_revocation` is the feed's newest number, a cut-off's too.
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

      -- What belongs to the store as a whole and changes seldom: see `StateName`.
      CREATE TABLE state (
        name TEXT PRIMARY KEY,
        value TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;
      INSERT INTO state VALUES ('created-at', strftime('%s', 'now') || '000');

      -- Which random id belongs to the feed's numbers from `first_seq` on. Every number has one.
      CREATE TABLE feed_epoch (
        first_seq INTEGER PRIMARY KEY,
        id INTEGER NOT NULL
      ) STRICT;
      INSERT INTO feed_epoch VALUES (1, random() & 4294967295);

      -- The retention that the server had last, skew included, in milliseconds; and a longer one that it had before,
      -- which counts until `former_until`. No row until the first start.
      CREATE TABLE retention (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        period INTEGER NOT NULL,
        former INTEGER NOT NULL,
        former_until INTEGER NOT NULL
      ) STRICT;

      -- Every event up to `position` has been attempted at least once by this handler. `retrying` and `dead` count
      -- its rows in `delivery`. `removed_at`: since when no server has the handler; only such a one may be forgotten.
      CREATE TABLE handler (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        position INTEGER NOT NULL,
        added_at INTEGER NOT NULL,
        retrying INTEGER NOT NULL DEFAULT 0,
        dead INTEGER NOT NULL DEFAULT 0,
        removed_at INTEGER
      ) STRICT;

      -- The exceptions alone: events that failed, and either wait for a retry (`next_at`) or are dead (`next_at`
      -- NULL). A row per event and handler would double the writes of ingest. The event table plus the position
      -- already is a queue, and delivers at least once, because the position moves only in the transaction that also
      -- records the failures before it: a crash in between repeats attempts and loses none. `attempt_times`: when
      -- the last attempts failed, separated by spaces. `crashes`: how often the process ended during an attempt.
      CREATE TABLE delivery (
        handler_id INTEGER NOT NULL,
        event_seq INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        attempted_at INTEGER NOT NULL,
        next_at INTEGER,
        last_error TEXT NOT NULL,
        attempt_times TEXT NOT NULL DEFAULT '',
        crashes INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (handler_id, event_seq)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX delivery_due ON delivery (handler_id, next_at) WHERE next_at IS NOT NULL;
      CREATE INDEX delivery_retrying ON delivery (handler_id, event_seq) WHERE next_at IS NOT NULL;
      CREATE INDEX delivery_dead ON delivery (handler_id, event_seq) WHERE next_at IS NULL;

      -- Counted by triggers, because rows change in several places, and a count that one of them forgets stays wrong
      -- for good. A handler that is down for a day has a million rows; the metrics read one. Ingest pays nothing.
      CREATE TRIGGER delivery_added AFTER INSERT ON delivery BEGIN
        UPDATE handler SET
          retrying = retrying + (NEW.next_at IS NOT NULL), dead = dead + (NEW.next_at IS NULL)
        WHERE id = NEW.handler_id;
      END;
      CREATE TRIGGER delivery_changed AFTER UPDATE OF next_at ON delivery
      WHEN (OLD.next_at IS NULL) <> (NEW.next_at IS NULL) BEGIN
        UPDATE handler SET
          retrying = retrying + (NEW.next_at IS NOT NULL) - (OLD.next_at IS NOT NULL),
          dead = dead + (NEW.next_at IS NULL) - (OLD.next_at IS NULL)
        WHERE id = NEW.handler_id;
      END;
      CREATE TRIGGER delivery_removed AFTER DELETE ON delivery BEGIN
        UPDATE handler SET
          retrying = retrying - (OLD.next_at IS NOT NULL), dead = dead - (OLD.next_at IS NULL)
        WHERE id = OLD.handler_id;
      END;
      """)
    try KeyIndex.createTables(db)
  }
}
