internal import GRDB

/// How the server's connections are set up.
enum ServeConnections {
  /// Opens, checks, and migrates.
  static func open(
    _ path: String, _ schema: Schema, _ migrationBegins: (_ from: Int, _ to: Int) -> Void
  ) throws -> DatabasePool {
    var configuration = Configuration()
    configuration.label = "revoked.store"
    configuration.foreignKeysEnabled = false
    // Only another process's backup or replay, or a recovery, ever holds the lock; they are short.
    configuration.busyMode = .timeout(5)
    configuration.prepareDatabase { db in
      // Runs before GRDB turns on WAL, which would already be a write to a foreign file.
      if !db.configuration.readonly {
        _ = try schema.check(db, path: path)
      } else {
        // Readers walk through rows by their numbers and seldom come back to a page. 512 KiB instead of 2 MB.
        try db.execute(sql: "PRAGMA cache_size = -512")
      }
    }
    let pool = try DatabasePool(path: path, configuration: configuration)
    try pool.writeWithoutTransaction { db in
      try tune(db, path: path)
      // Nobody knows how the last sync of a server that was killed ended.
      try db.inTransaction(.immediate) {
        try LogRewriting.rewrite(db)
        return .commit
      }
      try schema.migrate(db, from: schema.check(db, path: path), begins: migrationBegins)
    }
    return pool
  }

  private static func tune(_ db: Database, path: String) throws {
    // GRDB sets NORMAL for pools, which loses acknowledged commits in a power cut. 2 is FULL: the WAL is synced before
    // a commit returns. Read back, because SQLite ignores a pragma it does not understand.
    try db.execute(sql: "PRAGMA synchronous = FULL")
    guard try Int.fetchOne(db, sql: "PRAGMA synchronous") == 2 else {
      throw StoreError.io(path: path, cause: "SQLite does not honour synchronous=FULL")
    }
    // Ingest stands still for a checkpoint, so it is rare: with 10,000 pages, 40 MB of WAL, fewer than one event in a hundred waits for one at
    // full rate (p99 8 ms; with 3,000 pages 14 to 20). The file is cut to that after it once had to grow behind a slow reader.
    try db.execute(sql: "PRAGMA wal_autocheckpoint = 10000")
    _ = try Int.fetchOne(db, sql: "PRAGMA journal_size_limit = 41943040")
    // The page cache stays at SQLite's 2 MB: measured with 16 and 32, ingest was slower, the kernel's cache doing the
    // job.
  }
}
