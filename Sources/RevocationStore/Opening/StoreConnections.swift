internal import Dispatch
internal import Glibc
internal import SQLite
package import Storage
internal import Synchronization

/// The connections to one database: one that writes, and in the server a few that read beside it. Every call blocks
/// until SQLite is done.
final class StoreConnections: Sendable {
  /// How many reads there are at once; more wait.
  private static let readers = 5

  /// A queue rather than a lock, since it is fair: a busy inbox would keep everybody else from a lock.
  private let queue = DispatchQueue(label: "revoked.writer")
  // Used on the queue only.
  private let writer: Connection
  private let openReader: (@Sendable () throws -> Connection)?
  private let idle = Mutex<[Connection]?>([])
  private let free = DispatchSemaphore(value: readers)

  /// - Parameter openReader: nil: the writer reads as well.
  init(writer: Connection, openReader: (@Sendable () throws -> Connection)? = nil) {
    self.writer = writer
    self.openReader = openReader
  }

  /// Lends the connection that writes, without a transaction.
  func withWriter<Value>(_ body: (Connection) throws -> Value) rethrows -> Value {
    try queue.sync { try body(writer) }
  }

  /// All that `body` reads is as of one moment. A read that begins after a commit sees it.
  func read<Value>(_ body: (Connection) throws -> Value) throws -> Value {
    guard let openReader else { return try withWriter { db in try db.read { try body(db) } } }
    free.wait()
    defer { free.signal() }
    let reader = try idle.withLock { idle throws(StoreClosed) in
      if idle == nil { throw StoreClosed() }
      return idle?.popLast()
    }
    let db = try reader ?? openReader()
    do {
      let value = try db.read { try body(db) }
      keep(db)
      return value
    } catch {
      // Whatever state it is in: the next read begins with a new one, unless it was the caller who failed.
      if error is SQLiteError { db.close() } else { keep(db) }
      throw error
    }
  }

  /// Waits for reads under way, folds the log into the database and closes both. Every later call fails.
  func close(folding: Bool) throws {
    for _ in 0..<Self.readers { free.wait() }
    let readers = idle.withLock { $0.take() }
    for reader in readers ?? [] { reader.close() }
    for _ in 0..<Self.readers { free.signal() }
    try withWriter { db in
      defer { db.close() }
      if folding { try db.checkpoint(.truncate) }
    }
  }

  private func keep(_ reader: Connection) {
    let isKept = idle.withLock { idle in
      idle?.append(reader)
      return idle != nil
    }
    if !isKept { reader.close() }
  }
}

/// The store was closed.
struct StoreClosed: Error {}

extension StoreConnections {
  /// The server's: checks, makes the log sure, and migrates.
  static func serving(
    _ path: String, _ schema: Schema, _ notify: (StoreNotice) -> Void
  ) throws -> StoreConnections {
    // Only another process's backup or replay, or a recovery, ever holds the lock; they are short.
    let writer = try Connection(path, waiting: .atMost(milliseconds: 5000))
    let found = try schema.check(writer, path: path)
    // A backup says that it has no log, and a store that was opened once says that it has one.
    let isBackup = try found > 0 && writer.first("PRAGMA journal_mode") { row in try row.text(0) } == "delete"
    if found > 0 { try Schema.turnLogOn(writer) }
    // NORMAL loses acknowledged commits in a power cut. 2 is FULL: the log is synced before a commit returns. Read
    // back, because SQLite ignores a pragma that it does not understand.
    try writer.execute("PRAGMA synchronous = FULL")
    guard try writer.first("PRAGMA synchronous", make: { try $0.integer(0) }) == 2 else {
      throw StoreError.io(path: path, cause: "SQLite does not honour synchronous=FULL")
    }
    // The file is cut to that after it once had to grow behind a slow reader.
    try writer.execute("PRAGMA journal_size_limit = \(LogSize.usual)")
    // How the last sync of a server that was killed ended is not known. A new file has no log yet.
    if found > 0 { try writer.write { try writer.rewriteLog() } }
    try schema.migrate(writer, from: found) { notify(.migrating(from: $0, to: $1)) }
    if isBackup { notify(.restored(lastReceivedAt: try Tally.fetch(writer).lastReceivedAt)) }
    return StoreConnections(writer: writer) {
      let reader = try Connection(path, .readOnly, waiting: .atMost(milliseconds: 5000))
      // Readers walk through rows by their numbers and seldom come back to a page. 512 KiB instead of 2 MB.
      try reader.execute("PRAGMA cache_size = -512")
      return reader
    }
  }

  /// Of a look from another process.
  /// - Parameter frozen: there is no log, and none can be made: a copy on a read-only medium.
  static func inspecting(_ folder: StoreFolder, _ schema: Schema, frozen: Bool) throws -> StoreConnections {
    let path = folder.database
    do {
      // Opened for writing all the same: a log that a killed server left needs recovery, and its shared index a writer.
      let connection = try Connection(
        path, frozen ? .immutable : .readWrite, waiting: .atMost(milliseconds: 5000))
      try schema.checkIsCurrent(connection, path: path)
      try connection.execute("PRAGMA query_only = 1")
      return StoreConnections(writer: connection)
    } catch let error as SQLiteError where error.kind == .cannotOpen && folder.hasLog && !folder.isWritable {
      throw StoreError.io(
        path: path,
        cause: "its log \(path)-wal holds events, and nothing can be written beside it; copy both to another folder")
    }
  }

  /// Of a command that writes beside a running server.
  static func amending(_ path: String, _ schema: Schema) throws -> StoreConnections {
    // Together more than 20 s. A server under load holds the lock most of the time and lets go of it often, so that
    // what counts is how often one looks.
    let connection = try Connection(path, waiting: .looking(times: 10_000))
    try schema.checkIsCurrent(connection, path: path)
    try connection.execute("PRAGMA synchronous = FULL")
    return StoreConnections(writer: connection)
  }
}

/// How long the write-ahead log becomes.
enum LogSize {
  /// In pages of 4,096 bytes. Ingest stands still while the log is folded into the database, so that is rare: with
  /// 10,000 pages fewer than one event in a hundred waits for it at full rate (p99 8 ms; with 3,000 pages 14 to 20).
  static let foldedAt = 10_000
  /// Bytes: 43 MB. The last transaction before that may be a large one.
  static let usual = (foldedAt + 500) * Connection.logFrame
  /// By so many bytes the log's file is made longer ahead of what is written, until it has its usual size. The commit
  /// that does it takes some 2 ms. With 2 MB it took 11, which showed in the slowest hundredth of all answers.
  static let step = 1 << 18
  /// A log has so many bytes only while a process keeps an old snapshot, so that it cannot be folded: two and a half
  /// times the usual.
  static let tooLarge = usual / 2 * 5
}

extension RevocationStore {
  /// Asks the file system alone. A file that cannot be asked counts as empty.
  package var sizes: StoreSizes? {
    StoreSizes(database: Self.size(path), log: Self.size(path + "-wal"), free: Self.freeBytes(at: path))
  }

  private static func size(_ path: String) -> Int {
    var information = stat()
    // The string and the structure live for the call.
    return unsafe stat(path, &information) == 0 ? Int(information.st_size) : 0
  }

  static func freeBytes(at path: String) -> Int {
    var information = statvfs()
    // The string and the structure live for the call.
    guard unsafe statvfs(path, &information) == 0 else { return 0 }
    return Int(clamping: information.f_bavail.multipliedReportingOverflow(by: information.f_frsize).partialValue)
  }

  /// To be called within a transaction that is about to be committed.
  func extendLog(_ db: Connection) {
    guard mode == .serve, db.logNeedsRoom, db.logPages < foldsLogAt else { return }
    // Where space is short, events need it more. What fails now is tried again by the next commit.
    if Self.freeBytes(at: path) > LogSize.usual { try? db.extendLog(by: LogSize.step) }
  }

  /// To be called behind a commit, on the writer's queue.
  func foldLog(_ db: Connection) {
    // What fails now is tried again by the next commit.
    guard db.logPages >= foldsLogAt, let (pages, copied) = try? db.checkpoint(.passive) else { return }
    // All is copied once no reader has an older state; the next commit then begins at the file's start.
    let size = pages * 4096
    if copied < pages, size > LogSize.tooLarge {
      if logIsTooLarge.exchange(true, ordering: .relaxed) == false { notify(.logCannotBeFolded(bytes: size)) }
    } else if logIsTooLarge.exchange(false, ordering: .relaxed) {
      notify(.logIsFolded)
    }
  }
}
