internal import GRDB

/// Keeps an index up with its table: what each append adds, and the writing and merging of runs that this makes due.
///
/// Used by one transaction at a time: `begin`, what it is about, `finish`, and then `committed` or `failed`.
final class KeyIndexWriter {
  let index: KeyIndex
  /// nil: runs are left to the server, which knows which there are.
  private let limits: KeyIndexLimits?
  /// One a level at most.
  private var merges: [KeyMerge] = []
  private var abandoned: [Int64] = []
  /// What is on disk may be other than it seems: a commit that failed may be there all the same.
  private var isStale = true

  // Of the transaction under way.
  /// No row had them when it began.
  private var unknown: Set<IndexKey> = []
  private var added: [IndexKey: Int64] = [:]
  private var last: Int64 = 0
  private var flushed: KeyRun?
  private var merged: [(sources: [KeyRun], run: KeyRun)] = []

  init(_ index: KeyIndex, limits: KeyIndexLimits?) {
    self.index = index
    self.limits = limits
  }

  /// - Parameter willCover: called before rows are covered that somebody else committed.
  func begin(_ db: Database, last: Int64, willCover: () -> Void) throws {
    if isStale, limits != nil { try recover(db) }
    if index.covered < last {
      let rows = try index.uncovered(db)
      willCover()
      index.cover(rows, through: last)
    }
  }

  /// Prepares for questions after many keys, which are cheaper together.
  func expect(_ keys: [IndexKey]) {
    unknown = index.unknown(of: keys)
  }

  func seq(of key: IndexKey, _ db: Database) throws -> Int64? {
    if unknown.contains(key) { return added[key] }
    return try index.seq(of: key, added: added[key], db)
  }

  func add(_ key: IndexKey, seq: Int64) {
    added[key] = seq
  }

  func finish(_ db: Database, last: Int64) throws {
    self.last = last
    guard let limits, !added.isEmpty else { return }
    if index.recentCount + added.count >= limits.recent { try flush(db) }
    for merge in merges {
      // Four times what comes in: a level's merge is over before the next one is due, however long the run. The faster
      // the more runs wait: a start or a failed commit has it begin anew, maybe more often than it would be over.
      let waiting = index.runs.count { $0.level == merge.level }
      let count = 4 * added.count * max(1, waiting / limits.fanout)
      if let run = try merge.advance(by: count, db) { merged.append((merge.sources, run)) }
    }
    try deleteAbandoned(db, blocks: 1 + added.count / 8)
    try beginMerges(limits, db)
  }

  /// To be called once others can know of the commit.
  func committed() {
    index.cover(added, through: last)
    if flushed != nil || !merged.isEmpty {
      var runs = index.runs + [flushed].compactMap(\.self)
      for (sources, run) in merged {
        runs.removeAll { run in sources.contains { $0 === run } }
        if !run.fences.isEmpty { runs.append(run) }
        merges.removeAll { $0.sources[0] === sources[0] }
        // Only now nobody looks there any more, but for those who began before.
        abandoned += sources.map(\.id)
      }
      index.replace(runs: runs.sorted { $0.lastSeq < $1.lastSeq }, flushed: flushed?.lastSeq ?? 0)
    }
    reset()
  }

  func failed() {
    isStale = true
    reset()
  }

  private func reset() {
    unknown = []
    added.removeAll(keepingCapacity: true)
    flushed = nil
    merged = []
  }

  /// Begins with what the disk has. Merges begin anew.
  private func recover(_ db: Database) throws {
    merges = []
    index.replace(runs: try KeyRun.fetchAll(of: index.table, known: index.runs, db))
    abandoned = try KeyRun.fetchAbandoned(of: index.table, db)
    isStale = false
  }

  private func flush(_ db: Database) throws {
    let recent = index.recent.merging(added) { max($0, $1) }
    let entries = recent.map { IndexEntry(hash: $0.key.hash, seq: $0.value) }.sorted { $0.hash < $1.hash }
    var run = try KeyRunBuilder(of: index.table, level: 0, lastSeq: last, keys: entries.count, db)
    for entry in entries { try run.append(entry, db) }
    flushed = try run.finish(db)
  }

  private func beginMerges(_ limits: KeyIndexLimits, _ db: Database) throws {
    for (level, runs) in Dictionary(grouping: index.runs, by: { $0.level }).sorted(by: { $0.key < $1.key }) {
      guard runs.count >= limits.fanout, !merges.contains(where: { $0.level == level }) else { continue }
      let sources = Array(runs.prefix(limits.fanout))
      if let merge = try KeyMerge(sources, of: index.table, level: level, db) { merges.append(merge) }
    }
  }

  private func deleteAbandoned(_ db: Database, blocks: Int) throws {
    guard let id = abandoned.last else { return }
    if try KeyRun.delete(abandoned: id, blocks: blocks, db) { abandoned.removeLast() }
  }
}
