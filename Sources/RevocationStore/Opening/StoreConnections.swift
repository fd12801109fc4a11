internal import Foundation
internal import GRDB
internal import Glibc

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

/// How a look from another process is set up.
enum InspectConnection {
  /// - Parameter frozen: there is no log, and none can be made: a copy on a read-only medium.
  static func open(_ folder: StoreFolder, _ schema: Schema, frozen: Bool) throws -> DatabaseQueue {
    let path = folder.database
    var configuration = Configuration()
    configuration.label = "revoked.inspect"
    configuration.foreignKeysEnabled = false
    // Opened for writing all the same: a WAL that a killed server left needs recovery, and its shared index a writer.
    // GRDB makes each read `query_only`.
    configuration.busyMode = .timeout(5)
    configuration.prepareDatabase { db in try schema.checkIsCurrent(db, path: path) }
    if frozen {
      configuration.readonly = true
      // Else SQLite wants an index of the log, even of one that is not there (https://sqlite.org/uri.html#uriimmutable).
      return try DatabaseQueue(
        path: URL(filePath: path).absoluteString + "?immutable=1", configuration: configuration)
    }
    do {
      return try DatabaseQueue(path: path, configuration: configuration)
    } catch let error as DatabaseError where error.resultCode == .SQLITE_CANTOPEN && folder.hasLog && !folder.isWritable
    {
      throw StoreError.io(
        path: path,
        cause: "its log \(path)-wal holds events, and nothing can be written beside it; copy both to another folder")
    }
  }
}

/// How a command that writes beside a running server is set up.
enum AmendConnection {
  /// Tries at a lock that another process holds, some milliseconds apart: together more than 20 s. A server under load holds it most of the time
  /// and lets go of it often, so that what counts is how often one looks: SQLite's own waiting looks every 100 ms in the end.
  private static let tries = 10_000

  static func open(_ path: String, _ schema: Schema) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.label = "revoked.amend"
    configuration.foreignKeysEnabled = false
    configuration.busyMode = .callback { tried in
      // Not the same for all, so that two who wait do not keep meeting.
      usleep(.random(in: 1000...4000))
      return tried < tries
    }
    configuration.prepareDatabase { db in
      try schema.checkIsCurrent(db, path: path)
      try db.execute(sql: "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 10000")
    }
    return try DatabaseQueue(path: path, configuration: configuration)
  }
}
