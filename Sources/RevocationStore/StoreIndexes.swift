internal import Dispatch
internal import KeyIndex
internal import SQLite
internal import Storage
internal import Synchronization

extension IndexedTable {
  static let event = IndexedTable("event", key: "key")
  static let revocation = IndexedTable("revocation", key: "session")
}

/// The indexes of the two tables whose rows are found by a key, in memory as long as the server runs.
final class StoreIndexes: Sendable {
  let events: KeyIndex
  let revocations: KeyIndex
  // Used on the writer's queue only.
  nonisolated(unsafe) let writers: IndexWriters
  let progress = Mutex(RebuildProgress())
  /// Whether nothing is being built, at the cost of a load.
  let isWhole = Atomic(true)
  /// A run that look-ups do not find is being looked for.
  let isSearching = Atomic(false)
  let isClosed = Atomic(false)

  init(_ limits: KeyIndexLimits) {
    events = KeyIndex(of: .event, limits: limits)
    revocations = KeyIndex(of: .revocation, limits: limits)
    unsafe writers = IndexWriters(events: events, revocations: revocations, writesRuns: true)
  }
}

/// What keeps the two indexes up with their tables.
struct IndexWriters {
  let events: KeyIndexWriter
  let revocations: KeyIndexWriter

  init(events: KeyIndex, revocations: KeyIndex, writesRuns: Bool) {
    self.events = KeyIndexWriter(events, writesRuns: writesRuns)
    self.revocations = KeyIndexWriter(revocations, writesRuns: writesRuns)
  }

  /// Of a process beside the server, for one transaction.
  static func load(_ tally: Tally, _ db: Connection) throws -> IndexWriters {
    IndexWriters(
      events: try KeyIndex.load(.event, last: tally.lastEvent, db),
      revocations: try KeyIndex.load(.revocation, last: tally.lastRevocation, db), writesRuns: false)
  }

  func begin(_ tally: Tally, _ db: Connection, willCover: () -> Void) throws {
    try events.begin(db, last: tally.lastEvent, willCover: willCover)
    try revocations.begin(db, last: tally.lastRevocation, willCover: willCover)
  }

  func finish(_ tally: Tally, _ db: Connection) throws {
    try events.finish(db, last: tally.lastEvent)
    try revocations.finish(db, last: tally.lastRevocation)
  }

  /// Behind the commit that threw away what was there.
  func cleared() {
    events.cleared()
    revocations.cleared()
  }

  func ended(_ isCommitted: Bool) {
    for writer in [events, revocations] { isCommitted ? writer.committed() : writer.failed() }
  }
}

/// How far a rebuilding of the indexes has come.
struct RebuildProgress {
  enum Stage: Equatable {
    /// The indexes can be relied upon.
    case whole
    /// How much is done, of a hundred.
    case rebuilding(percent: Int)
  }

  var stage = Stage.whole
  /// What is there is thrown away before it is built.
  var clears = false
  /// When those began that were needed in the last hour.
  private var begun: [ContinuousClock.Instant] = []

  /// A disk that damages the index more often in an hour is not to be relied upon with the rows either.
  private static let most = 3

  /// Returns whether there may be another one.
  mutating func begin() -> Bool {
    let now = ContinuousClock.now
    begun.removeAll { $0.duration(to: now) > .seconds(3600) }
    guard begun.count < Self.most else { return false }
    begun.append(now)
    return true
  }
}

// The index is derived data: all of it is in the rows. So a damaged one is never believed, and is built anew without
// asking. While that lasts, look-ups and appends fail: "not revoked" would be a guess, and so would "new".
extension RevocationStore {
  private static let queue = DispatchQueue(label: "revoked.index", qos: .utility)
  private static let pause = DispatchTimeInterval.seconds(5)

  /// Throws while the indexes are being built.
  func checkIndexes() throws(StoreError) {
    guard let indexes, !indexes.isWhole.load(ordering: .acquiring) else { return }
    if let damage = health.damage { throw damage }
    if case .rebuilding(let percent) = indexes.progress.withLock(\.stage) {
      throw .rebuildingIndex(path: path, percent: percent)
    }
  }

  /// Reads the server's indexes. What is damaged or outdated is built in the background.
  func loadIndexes() throws(StoreError) {
    guard let indexes else { return }
    do throws(StoreError) {
      try read { db in
        let tally = try Tally.fetch(db)
        try indexes.events.load(last: tally.lastEvent, db)
        try indexes.revocations.load(last: tally.lastRevocation, db)
      }
    } catch .rebuildingIndex {
    }
  }

  /// What a failure of an index means for the call that met it. The server begins to build the indexes anew.
  func indexFailed(_ error: KeyIndexError) -> StoreError {
    if case .failed(let error) = error { return StoreError(error, path: path) }
    let cause = error.text
    guard let indexes else { return .index(path: path, cause: cause) }
    let isDamaged = if case .outdated = error { false } else { true }
    let mayGoOn = indexes.progress.withLock { progress in
      progress.clears = progress.clears || isDamaged
      // The rebuilding under way has failed, and begins again.
      guard progress.stage == .whole else { return true }
      guard progress.begin() else { return false }
      progress.stage = .rebuilding(percent: 0)
      indexes.isWhole.store(false, ordering: .releasing)
      // `self` stays until it is done or the store is closed.
      Self.queue.async { self.rebuildIndexes(cause) }
      return true
    }
    return mayGoOn ? .rebuildingIndex(path: path, percent: 0) : .corrupt(path: path, cause: cause)
  }

  /// Finds out in the background whether a run of the revocations' index is gone from the disk. If so, the indexes are
  /// built anew.
  func search(for run: Int64) {
    guard let indexes, !indexes.isSearching.exchange(true, ordering: .relaxed) else { return }
    Self.queue.async {
      defer { indexes.isSearching.store(false, ordering: .relaxed) }
      do throws(StoreError) {
        // On the writer's queue, where what is in memory and what is on disk are of the same moment.
        try self.write { db in
          if try indexes.revocations.hasLost(run, db) { throw KeyIndexError.missing(run: run) }
        }
      } catch {
        // The failure itself has begun the rebuilding.
      }
    }
  }

  private func rebuildIndexes(_ cause: String) {
    guard let indexes, !indexes.isClosed.load(ordering: .relaxed) else { return }
    notify(.rebuildingIndex(cause: cause))
    let start = ContinuousClock.now
    do throws(StoreError) {
      if indexes.progress.withLock(\.clears) { try clearIndexes() }
      let rows = try extendIndexes { percent in
        indexes.progress.withLock { $0.stage = .rebuilding(percent: percent) }
        return !indexes.isClosed.load(ordering: .relaxed)
      }
      if let rows { notify(.rebuiltIndex(rows: rows, duration: start.duration(to: .now))) }
    } catch {
      guard !indexes.isClosed.load(ordering: .relaxed) else { return }
      notify(.rebuildFailed(error))
      if indexes.progress.withLock({ $0.clears && !$0.begin() }) {
        health.readFailed(.corrupt(path: path, cause: "its index is damaged again and again"))
      }
      // Damage stays. A full disk or a lock may pass, and what is built so far counts.
      guard health.damage == nil else { return }
      Self.queue.asyncAfter(deadline: .now() + Self.pause) { self.rebuildIndexes(cause) }
    }
  }

  /// Throws away what is there of both indexes.
  func clearIndexes() throws(StoreError) {
    guard let indexes else { throw .readOnly(path: path) }
    let ended = { (isCommitted: Bool) in
      if isCommitted { unsafe indexes.writers.cleared() }
    }
    try write(ended: ended) { db in try KeyIndexWriter.clear(db) }
    indexes.progress.withLock { $0.clears = false }
  }

  /// Builds what both indexes lack from the rows, some thousand rows a transaction: memory stays bounded, and other
  /// writers get their turns.
  ///
  /// - Parameter progress: called with the percentage that is done, and returns whether to go on.
  /// - Returns: how many rows the indexes have now; nil when it was stopped.
  func extendIndexes(progress: (_ percent: Int) -> Bool) throws(StoreError) -> Int? {
    guard let indexes else { throw .readOnly(path: path) }
    let (events, revocations) = unsafe (indexes.writers.events, indexes.writers.revocations)
    while true {
      var isDone = false
      let ended = { (isCommitted: Bool) in
        unsafe indexes.writers.ended(isCommitted)
        // Here, where no append can come between.
        guard isCommitted, isDone else { return }
        indexes.progress.withLock { $0.stage = .whole }
        indexes.isWhole.store(true, ordering: .releasing)
      }
      let tally = try write(ended: ended) { db in
        let tally = try Tally.fetch(db)
        try events.extend(db, last: tally.lastEvent)
        try revocations.extend(db, last: tally.lastRevocation)
        isDone = events.willCover >= tally.lastEvent && revocations.willCover >= tally.lastRevocation
        return tally
      }
      if isDone { return tally.events + tally.revocations }
      let done = indexes.events.covered + indexes.revocations.covered
      guard progress(Int(100 * done / max(1, tally.lastEvent + tally.lastRevocation))) else { return nil }
    }
  }
}
