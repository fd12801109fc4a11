package import SQLite

/// Keeps an index up with its table: what each append adds, and the writing and merging of runs that this makes due.
///
/// Used by one write transaction at a time: `begin`, what it is about, `finish`, and then `committed` or `failed`.
package final class KeyIndexWriter {
  package let index: KeyIndex
  /// Whether it writes runs. Those are left to the server where another process may serve: it knows which there are.
  private let writesRuns: Bool
  /// One a level at most.
  private var merges: [KeyMerge] = []
  private var abandoned: [Int64] = []
  /// What is on disk may be other than it seems: a commit that failed may be there all the same.
  private var isStale = true
  /// Runs came or went since merges were looked for.
  private var hasOtherRuns = true

  // Of the transaction under way.
  /// No row had them when it began.
  private var unknown: Set<IndexKey> = []
  private var added: [IndexKey: Int64] = [:]
  private var last: Int64 = 0
  private var flushed: KeyRun?
  private var merged: [(sources: [KeyRun], run: KeyRun)] = []

  package init(_ index: KeyIndex, writesRuns: Bool) {
    self.index = index
    self.writesRuns = writesRuns
  }

  /// - Parameters:
  ///   - last: the newest number that the table has given out.
  ///   - willCover: called before rows are covered that another process committed.
  package func begin(_ db: Connection, last: Int64, willCover: () -> Void) throws {
    if isStale, writesRuns { try blamingIndex { try recover(db) } }
    if index.covered < last {
      let rows = try index.uncovered(db)
      willCover()
      index.cover(rows, through: last)
    }
  }

  /// Prepares for questions after many keys, which are cheaper together.
  package func expect(_ keys: [IndexKey]) {
    unknown = index.unknown(of: keys)
  }

  /// The row that has this key, of this transaction or of one before.
  package func seq(of key: IndexKey, _ db: Connection) throws -> Int64? {
    if unknown.contains(key) { return added[key] }
    return try index.seq(of: key, added: added[key], db)
  }

  package func add(_ key: IndexKey, seq: Int64) {
    added[key] = seq
  }

  package func finish(_ db: Connection, last: Int64) throws {
    self.last = last
    guard writesRuns, !added.isEmpty else { return }
    try blamingIndex {
      if index.recentCount + added.count >= index.limits.recent { try flush(db) }
      for merge in merges {
        // Four times what comes in: a level's merge is over before the next one is due, however long the run. The
        // faster the more runs wait: a start or a failed commit has it begin anew, maybe more often than it would be
        // over.
        let waiting = index.runs.count { $0.level == merge.level }
        let count = 4 * added.count * max(1, waiting / index.limits.fanout)
        if let run = try merge.advance(by: count, db) { merged.append((merge.sources, run)) }
      }
      try deleteAbandoned(db, blocks: 1 + added.count / 8)
      if hasOtherRuns { try beginMerges(db) }
    }
  }

  /// What is damaged while the index's own tables are read and written is the index.
  private func blamingIndex(_ body: () throws -> Void) throws {
    do {
      try body()
    } catch let error as SQLiteError {
      throw KeyIndexError(error)
    } catch KeyIndexError.missing {
      throw KeyIndexError.damaged("the index lacks one of its blocks")
    }
  }

  /// To be called once others can know of the commit.
  package func committed() {
    index.cover(added.lazy.map { (key: $0.key, seq: $0.value) }, through: last)
    if flushed != nil || !merged.isEmpty {
      var runs = index.runs + [flushed].compactMap(\.self)
      for (sources, run) in merged {
        runs.removeAll { run in sources.contains { $0 === run } }
        runs.append(run)
        merges.removeAll { $0.sources[0] === sources[0] }
        // From now on only look-ups that began before still read them.
        abandoned += sources.map(\.id)
      }
      index.replace(runs: runs.sorted { $0.lastSeq < $1.lastSeq }, flushed: flushed?.lastSeq ?? 0)
      hasOtherRuns = true
    }
    reset()
  }

  package func failed() {
    isStale = true
    reset()
  }

  private func reset() {
    last = 0
    unknown = []
    added.removeAll(keepingCapacity: true)
    flushed = nil
    merged = []
  }

  /// Begins with what the disk has. Merges begin anew.
  private func recover(_ db: Connection) throws {
    merges = []
    index.replace(runs: try KeyRun.fetchAll(of: index.table, known: index.runs, db))
    abandoned = try KeyRun.fetchAbandoned(of: index.table, db)
    isStale = false
    hasOtherRuns = true
  }

  private func flush(_ db: Connection) throws {
    let recent = index.recent.merging(added) { max($0, $1) }
    let entries = recent.map { IndexEntry(hash: $0.key.hash, seq: $0.value) }.sorted { $0.hash < $1.hash }
    var run = try KeyRunBuilder(
      of: index.table, level: 0, after: index.runs.last?.lastSeq ?? 0, lastSeq: last, keys: entries.count, db)
    for entry in entries { try run.append(entry, db) }
    flushed = try run.finish(db)
  }

  private func beginMerges(_ db: Connection) throws {
    let runs = index.runs
    for level in Set(runs.map(\.level)).sorted() where !merges.contains(where: { $0.level == level }) {
      let sources = Array(runs.filter { $0.level == level }.prefix(index.limits.fanout))
      guard sources.count == index.limits.fanout else { continue }
      if let merge = try KeyMerge(sources, of: index.table, level: level, db) { merges.append(merge) }
    }
    hasOtherRuns = false
  }

  private func deleteAbandoned(_ db: Connection, blocks: Int) throws {
    guard let id = abandoned.last else { return }
    if try KeyRun.delete(abandoned: id, blocks: blocks, db) { abandoned.removeLast() }
  }
}

// MARK: - Building anew

extension KeyIndexWriter {
  /// Empties the tables of all indexes, whatever is in them. Once that is committed, `cleared` is to be called on the
  /// writer of each.
  package static func clear(_ db: Connection) throws {
    // A look-up under way may still have the ids of runs that were.
    let last = try? db.first("SELECT seq FROM sqlite_sequence WHERE name = 'key_run'") { row in try row.integer(0) }
    try db.execute("DROP TABLE IF EXISTS key_run; DROP TABLE IF EXISTS key_block")
    try KeyIndex.createTables(db)
    try db.run(
      "INSERT INTO sqlite_sequence (name, seq) VALUES ('key_run', ?)", (last ?? nil) ?? .random(in: 1...1 << 30))
  }

  package func cleared() {
    merges = []
    abandoned = []
    isStale = false
    reset()
    index.clear()
  }

  /// What the index will cover once the transaction under way is committed.
  package var willCover: Int64 { max(last, index.covered) }

  /// In a transaction of its own: adds the next rows that the index lacks, as many as are kept in memory. Once that is
  /// committed and `committed` was called, `index.covered` has grown, up to `last` in the end.
  ///
  /// What was built so far is an index of the rows up to there. So a kill costs nothing but the step under way, and
  /// memory holds one step.
  package func extend(_ db: Connection, last: Int64) throws {
    if isStale { try blamingIndex { try recover(db) } }
    let rows = try index.rows(behind: index.covered, limit: index.limits.recent, db)
    for row in rows { add(row.key, seq: row.seq) }
    let isLast = rows.count < index.limits.recent
    try finish(db, last: isLast ? last : rows.last?.seq ?? last)
  }
}
