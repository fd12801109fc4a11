package import DynamicEvents
internal import Foundation
internal import GRDB
package import Synchronization

/// The embedded store: what was received, who is revoked, and what each handler has still to do. Safe from any thread;
/// every call blocks until SQLite is done. One connection writes, the readers never wait for it, and a read that begins
/// after a commit sees it.
package final class RevocationStore: Sendable {
  /// What a process is here for.
  package enum Mode: Sendable {
    /// The server: takes the folder's lock, makes what is missing, migrates, writes.
    case serve
    /// A look from another process, whether a server runs or not: no lock, no migration, no write.
    case inspect
    /// A command that writes, whether a server runs or not: no lock, no migration, and patient, so that no server's writing is in its way.
    case amend
  }

  /// The database file, as an absolute path.
  package let path: String
  private let mode: Mode
  private let folder: StoreFolder
  /// SQLite was told that nobody writes to the file.
  private let isFrozen: Bool
  // Above the lock, so that a store that is just let go of closes its database before another server may open it.
  private let database: any DatabaseWriter
  private let lock: StoreLock?
  let health = StoreHealth()
  /// Some hundred events of the usual size.
  private static let roomForEvents: UInt64 = 1 << 20
  /// The files that were opened.
  private let identities: [FileIdentity?]
  /// Whether this opening made the store.
  package let isNew: Bool
  let retention: Retention
  let feedEpochs: FeedEpochs
  /// The newest number of the feed that is committed, at the cost of a load.
  package let lastRevocation: Atomic<Int64>
  /// Finds revocations: complete, as it has every commit's rows before its events are answered.
  let revocations: KeyIndex
  /// Whose JWTs are refused, whichever session they are of.
  package let cutOffs = CutOffs()
  /// nil: another process serves. Used while `appending` is held, and nowhere else.
  nonisolated(unsafe) let keys: KeyWriters?
  let appending = Mutex(())
  /// Counts what was committed here, so that a reader sees at the cost of a load whether its snapshot is the newest.
  let commits = Atomic<UInt64>(0)

  /// Opens the store in the folder `data`.
  ///
  /// - Parameters:
  ///   - retention: how long a revoked session is remembered after its creation. A shorter one than before counts from a day after `now`.
  ///   - now: the time of day unless it is given.
  ///   - migrationBegins: told of the schemas' numbers before an older version's store is migrated, which may take minutes.
  package convenience init(
    data: String, mode: Mode, retention: Duration = Retention.ofDynamic, now: Timestamp? = nil,
    migrationBegins: (_ from: Int, _ to: Int) -> Void = { _, _ in }
  ) throws(StoreError) {
    try self.init(
      data: data, mode: mode, retention: retention, now: now, keyIndex: KeyIndexLimits(),
      migrationBegins: migrationBegins)
  }

  init(
    data: String, mode: Mode, retention: Duration = Retention.ofDynamic, now: Timestamp? = nil,
    keyIndex limits: KeyIndexLimits, schema: Schema = .current,
    migrationBegins: (_ from: Int, _ to: Int) -> Void = { _, _ in }
  ) throws(StoreError) {
    // Absolute, since a message may be read in another folder.
    let folder = StoreFolder(path: URL(filePath: data).path)
    path = folder.database
    self.mode = mode
    self.folder = folder
    let isFrozen = mode == .inspect && !folder.isWritable && !folder.hasLog
    self.isFrozen = isFrozen
    isNew = mode == .serve && !folder.hasDatabase
    switch mode {
    case .serve:
      try folder.make()
      lock = try StoreLock(folder)
      try folder.makeDatabase()
      database = try Self.attempt(path) { try ServeConnections.open(folder.database, schema, migrationBegins) }
      // The log's own name.
      try folder.sync()
    case .inspect:
      lock = nil
      try folder.findDatabase()
      database = try Self.attempt(path) { try InspectConnection.open(folder, schema, frozen: isFrozen) }
    case .amend:
      lock = nil
      try folder.findDatabase()
      database = try Self.attempt(path) { try AmendConnection.open(folder.database, schema) }
    }
    identities = Self.identities(path, mode)
    let opened = database
    let now = now ?? Timestamp(Date())
    self.retention = try Self.attempt(path) {
      mode == .serve ? try Retention.begin(Retention(retention), opened, at: now) : Retention(retention)
    }
    feedEpochs = try Self.attempt(path) { mode == .serve ? try FeedEpochs.begin(opened) : .none }
    let writers = try Self.attempt(path) {
      mode == .serve ? try opened.read { db in try KeyWriters.load(db, limits: limits) } : nil
    }
    revocations = writers?.revocations.index ?? KeyIndex(of: .revocation, runs: [])
    unsafe keys = writers
    lastRevocation = Atomic(try Self.attempt(path) { try opened.read(Tally.fetch).lastRevocation })
    if mode == .serve { try Self.attempt(path) { try opened.read(cutOffs.load) } }
  }

  /// Folds the WAL into the database file, closes both, and lets another server in. Every later call fails.
  package func close() throws(StoreError) {
    try Self.attempt(path) {
      if mode == .serve {
        // GRDB closes its writer before its readers, and the last connection to close, being a reader, could not do
        // this.
        _ = try database.writeWithoutTransaction { db in try db.checkpoint(.truncate) }
      }
      try database.close()
      lock?.release()
    }
  }

  /// Proves that a commit reaches the disk now, by really making one.
  package func probeWritable() throws(StoreError) {
    // Counting, because SQLite leaves out the write of a value that is already there.
    try write { db in try db.execute(sql: "UPDATE tally SET probes = probes + 1") }
    // A page may still fit where an event did not.
    if health.isOutOfSpace, FileSpace.available(at: path) < Self.roomForEvents { throw .full(path: path) }
  }

  func read<Value>(_ body: (Database) throws -> Value) throws(StoreError) -> Value {
    if let damage = health.damage { throw damage }
    do throws(StoreError) {
      let value = try Self.attempt(path) { try database.read(body) }
      // A server of another user's has begun to write meanwhile: what was read may be of two moments.
      if isFrozen, folder.hasLog { throw .busy(path: path) }
      return value
    } catch {
      health.readFailed(error)
      throw error
    }
  }

  /// Throws when the store is no longer to be relied upon: a page made no sense, or a file is another one than was opened. Look-ups and the feed ask
  /// as well: a connection that is opened once the log is gone sees a database without what the log had.
  func checkFiles() throws(StoreError) {
    if let damage = health.damage { throw damage }
    guard Self.identities(path, mode) == identities else { throw .replaced(path: path) }
  }

  /// One transaction: all of `body` or nothing.
  func write<Value>(_ body: (Database) throws -> Value) throws(StoreError) -> Value {
    guard mode != .inspect else { throw .readOnly(path: path) }
    try checkFiles()
    do throws(StoreError) {
      if health.isLogSuspect {
        try Self.attempt(path) { try database.write(LogRewriting.rewrite) }
        health.logWasRewritten()
      }
      // Also when it throws: a commit that reports a failure may be there all the same.
      defer { commits.wrappingAdd(1, ordering: .releasing) }
      return try Self.attempt(path) { try database.write(body) }
    } catch {
      health.writeFailed(error)
      throw error
    }
  }

  /// The database, its log and the log's index. A server has all of them as long as it runs; for a command they may come and go.
  private static func identities(_ path: String, _ mode: Mode) -> [FileIdentity?] {
    (mode == .serve ? ["", "-wal", "-shm"] : [""]).map { FileIdentity(path + $0) }
  }

  private static func attempt<Value>(_ path: String, _ body: () throws -> Value) throws(StoreError) -> Value {
    do {
      return try body()
    } catch {
      throw StoreError(error, path: path)
    }
  }
}
