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
    for table in [IndexedTable.event, .revocation] { try writeRuns(of: table, db) }
  }

  private static func writeRuns(of table: IndexedTable, _ db: Database) throws {
    let rows = try Row.fetchCursor(db, sql: "SELECT seq, \(table.key) FROM \(table.rawValue) ORDER BY seq")
    var entries: [KeyEntry] = []
    var runs: [KeyRun] = []
    while let row = try rows.next() {
      let key: IndexKey = try IndexKey(column: row.decode(atIndex: 1))
      try entries.append(KeyEntry(hash: key.hash, seq: row.decode(atIndex: 0)))
      // What is sorted in memory at once: 16 megabytes. Runs of the third level have as many.
      if entries.count == 1 << 20 {
        try runs.append(write(&entries, of: table, level: 3, db))
        try merge(&runs, of: table, db)
      }
    }
    if !entries.isEmpty { _ = try write(&entries, of: table, level: 0, db) }
  }

  private static func write(
    _ entries: inout [KeyEntry], of table: IndexedTable, level: Int, _ db: Database
  ) throws -> KeyRun {
    var run = try KeyRunBuilder(table, level: level, lastSeq: entries.last?.seq ?? 0, keys: entries.count, db)
    entries.sort { $0.hash < $1.hash }
    for entry in entries { try run.append(entry, db) }
    entries.removeAll(keepingCapacity: true)
    return try run.finish(db)
  }

  /// As they would have been by now.
  private static func merge(_ runs: inout [KeyRun], of table: IndexedTable, _ db: Database) throws {
    let fanout = KeyIndexLimits().fanout
    while let level = runs.last?.level, case let sources = runs.filter({ $0.level == level }), sources.count == fanout,
      let merged = try KeyMerge(sources, of: table, level: level, db).advance(by: .max, db)
    {
      for source in sources { _ = try KeyRun.delete(abandoned: source.id, blocks: .max, db) }
      runs.removeLast(fanout)
      runs.append(merged)
    }
  }
}
