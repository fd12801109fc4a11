package import DynamicEvents
internal import Foundation
internal import KeyIndex
internal import SQLite
package import Storage
internal import Synchronization

/// The embedded store: what was received, who is revoked, and what each handler has still to do. Safe from any thread;
/// every call blocks until SQLite is done. One connection writes, the readers never wait for it, and a read that begins
/// after a commit sees it.
package final class RevocationStore: Sendable {
  /// The database file, as an absolute path.
  package let path: String
  /// Whether this opening made the store.
  package let isNew: Bool
  /// When the store was made: nothing from before is known. A backup keeps it.
  package let createdAt: Timestamp
  let mode: StoreMode
  private let folder: StoreFolder
  /// SQLite was told that no process writes to the file.
  private let isFrozen: Bool
  // Above the lock, so that a store that is just let go of closes its database before another server may open it.
  private let connections: StoreConnections
  private let lock: StoreLock?
  private let files: OpenedFiles
  let health = StoreHealth()
  let notify: @Sendable (StoreNotice) -> Void
  /// So many pages of the log are folded into the database.
  let foldsLogAt: Int
  let logIsTooLarge = Atomic(false)
  let retention: Retention
  let feedEpochs: FeedEpochs
  /// The newest number of the feed that is committed.
  let newestRevocation: Atomic<Int64>
  /// Whose JWTs are refused, whichever session they are of.
  package let cutOffs = CutOffs()
  /// Of a process that has the folder's lock; nil: another process may serve.
  let indexes: StoreIndexes?
  /// Counts what was committed here, so that a reader sees at the cost of a load whether its snapshot is the newest.
  let commits = Atomic<UInt64>(0)

  /// Opens the store in the folder `data`. With `.inspect` that may also be a database file, such as a backup under a
  /// name of its own.
  ///
  /// - Parameters:
  ///   - makesStore: whether a server makes a store where there is none; if not, that is an error.
  ///   - retention: how long a revoked session is remembered after its creation. A shorter one than before counts from
  ///     a day after `now`.
  ///   - now: the time of day unless it is given.
  ///   - notify: called with what the operator should know, from any thread.
  package convenience init(
    data: String, mode: StoreMode, makesStore: Bool = true, retention: Duration = Retention.ofDynamic,
    now: Timestamp? = nil, notify: @escaping @Sendable (StoreNotice) -> Void = { _ in }
  ) throws(StoreError) {
    try self.init(
      data: data, mode: mode, makesStore: makesStore, retention: retention, now: now, keyIndex: KeyIndexLimits(),
      notify: notify)
  }

  init(
    data: String, mode: StoreMode, makesStore: Bool = true, retention: Duration = Retention.ofDynamic,
    now: Timestamp? = nil, keyIndex limits: KeyIndexLimits, schema: Schema = .current,
    foldsLogAt: Int = LogSize.foldedAt, notify: @escaping @Sendable (StoreNotice) -> Void = { _ in }
  ) throws(StoreError) {
    // Absolute, since a message may be read in another folder.
    let given = URL(filePath: data).path
    let folder = mode == .inspect ? StoreFolder(inspecting: given) : StoreFolder(given)
    let path = folder.database
    self.path = path
    self.mode = mode
    self.folder = folder
    self.notify = notify
    self.foldsLogAt = foldsLogAt
    let isFrozen = mode == .inspect && !folder.isWritable && !folder.hasLog
    self.isFrozen = isFrozen
    let isNew = mode == .serve && !folder.hasDatabase
    self.isNew = isNew
    if isNew, !makesStore, !folder.hasLog { throw .newStoreRefused(path: path) }
    switch mode {
    case .serve:
      try folder.make()
      lock = try StoreLock(folder)
      try folder.makeDatabase()
      connections = try Self.attempt(path) { try .serving(path, schema, notify) }
      // The log's own name.
      try folder.sync()
    case .inspect:
      lock = nil
      try folder.findDatabase()
      connections = try Self.attempt(path) { try .inspecting(folder, schema, frozen: isFrozen) }
    case .amend:
      lock = nil
      try folder.findDatabase()
      connections = try Self.attempt(path) { try .amending(path, schema) }
    case .repair:
      try folder.findDatabase()
      lock = try StoreLock(folder)
      connections = try Self.attempt(path) { try .amending(path, schema) }
    }
    // A server has all of them as long as it runs; for a command the log and its index may come and go.
    files = OpenedFiles((mode == .serve ? ["", "-wal", "-shm"] : [""]).map { path + $0 })
    let opened = connections
    let now = now ?? Timestamp(Date())
    self.retention = try Self.attempt(path) {
      mode == .serve ? try Retention.begin(Retention(retention), opened, at: now) : Retention(retention)
    }
    feedEpochs = try Self.attempt(path) { mode == .serve ? try FeedEpochs.begin(opened) : .none }
    indexes = mode == .serve || mode == .repair ? StoreIndexes(limits) : nil
    let (tally, createdAt) = try Self.attempt(path) {
      try opened.read { db in (try Tally.fetch(db), try Self.createdAt(db)) }
    }
    newestRevocation = Atomic(tally.lastRevocation)
    self.createdAt = createdAt
    guard mode == .serve else { return }
    try Self.attempt(path) { try opened.read(cutOffs.load) }
    try loadIndexes()
  }

  /// Folds the log into the database file, closes both, and lets another server in. Every later call fails.
  package func close() throws(StoreError) {
    indexes?.isClosed.store(true, ordering: .relaxed)
    try Self.attempt(path) {
      try connections.close(folding: mode == .serve || mode == .repair)
      lock?.release()
    }
  }

  /// Proves that a commit reaches the disk now, by really making one.
  package func probeWritable() throws(StoreError) {
    // Counting, because SQLite leaves out the write of a value that is already there.
    try write { db in try db.run("UPDATE tally SET probes = probes + 1") }
    // A page may still fit where an event did not.
    if health.isOutOfSpace, Self.freeBytes(at: path) < Self.roomForEvents { throw .full(path: path) }
  }

  /// Some hundred events of the usual size.
  private static let roomForEvents = 1 << 20

  func read<Value>(_ body: (Connection) throws -> Value) throws(StoreError) -> Value {
    if let damage = health.damage { throw damage }
    do throws(StoreError) {
      let value = try attempt { try connections.read(body) }
      // A server of another user's has begun to write meanwhile: what was read may be of two moments.
      if isFrozen, folder.hasLog { throw .busy(path: path) }
      return value
    } catch {
      health.readFailed(error)
      throw error
    }
  }

  /// Throws when the store is no longer to be relied upon: a page made no sense, or a file is another one than was
  /// opened. Look-ups and the feed ask as well: a connection that is opened once the log is gone sees a database
  /// without what the log had.
  package func checkIsReliable() throws(StoreError) {
    if let damage = health.damage { throw damage }
    guard files.areInPlace else { throw .replaced(path: path) }
  }

  /// One transaction: all of `body` or nothing.
  /// - Parameter ended: called behind it, before the next one begins, with whether it was committed.
  func write<Value>(
    ended: (_ isCommitted: Bool) -> Void = { _ in }, _ body: (Connection) throws -> Value
  ) throws(StoreError) -> Value {
    guard mode != .inspect else { throw .readOnly(path: path) }
    try checkIsReliable()
    do throws(StoreError) {
      return try attempt {
        try connections.withWriter { db in
          var isCommitted = false
          defer {
            // Also when it failed: a commit that reports a failure may be there all the same.
            commits.wrappingAdd(1, ordering: .releasing)
            ended(isCommitted)
          }
          if health.isLogSuspect {
            try db.write { try db.rewriteLog() }
            health.logWasRewritten()
          }
          let value = try db.write {
            let value = try body(db)
            extendLog(db)
            return value
          }
          isCommitted = true
          foldLog(db)
          return value
        }
      }
    } catch {
      health.writeFailed(error)
      throw error
    }
  }

  private func attempt<Value>(_ body: () throws -> Value) throws(StoreError) -> Value {
    do {
      return try body()
    } catch let error as KeyIndexError {
      throw indexFailed(error)
    } catch {
      throw StoreError(error, path: path)
    }
  }

  private static func attempt<Value>(_ path: String, _ body: () throws -> Value) throws(StoreError) -> Value {
    do {
      return try body()
    } catch {
      throw StoreError(error, path: path)
    }
  }
}
