package import SQLite
internal import Synchronization

/// When an index writes and merges.
package struct KeyIndexLimits: Sendable {
  /// So many keys are in memory alone: a start reads their rows, some ten megabytes.
  package var recent = 16_384
  /// So many runs of a level become one of the next. A look-up asks that many filters a level, less one.
  package var fanout = 4

  /// Rows that an index may lack when it is loaded or asked, since only the server writes runs. With more it is
  /// outdated: they are read at once.
  package var uncovered = 65_536

  package init() {}

  package init(recent: Int, fanout: Int, uncovered: Int = 65_536) {
    self.recent = recent
    self.fanout = fanout
    self.uncovered = uncovered
  }
}

/// Finds the rows of a table by their random keys, at a cost that hardly grows with the table: a log-structured merge
/// tree.
///
/// An index of SQLite's has a page to dirty at random for every key, and at ten million keys none of them is in memory.
/// Here the keys of the newest rows are in memory alone: the table itself is their log, and a start reads them from its
/// end. Once there are enough they are written down sorted, as a run, and runs of about the same size are merged into
/// larger ones. All of that is in the transactions that append rows, a little in each, so that it is as durable as they
/// are, needs no thread and never falls behind.
///
/// The index says where a key's row may be. The row has the key itself and is compared, so an entry too many does no
/// harm: of a row that was pruned, or moved to another number. A row without an entry would not be found: hence
/// `covered`, and the checksums of what is on disk. All of it can be made anew from the rows: `KeyIndexWriter.reset`
/// and `extend`.
package final class KeyIndex: Sendable {
  private struct State {
    var runs: [KeyRun] = []
    /// What no run has yet.
    var recent: [IndexKey: Int64] = [:]
    var covered: Int64 = 0
  }

  package let table: IndexedTable
  let limits: KeyIndexLimits
  private let state: Mutex<State>

  /// An index that has nothing yet.
  package init(of table: IndexedTable, limits: KeyIndexLimits = KeyIndexLimits()) {
    self.table = table
    self.limits = limits
    state = Mutex(State())
  }

  package static func createTables(_ db: Connection) throws(SQLiteError) {
    try db.execute(
      """
      -- The runs in which rows are found by their keys: `indexed` is the table. `fences` is each block's first hash,
      -- `filter` a Bloom filter, both words of eight bytes, the least significant first; `checksum` is of them and of
      -- the numbers. Without a filter the run is not, or no longer, part of an index, and is about to be deleted. It
      -- has the rows behind `after_seq`, up to `last_seq`, where the next run goes on. An id is never given out twice:
      -- a look-up may still have it.
      CREATE TABLE key_run (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        indexed TEXT NOT NULL,
        level INTEGER NOT NULL,
        after_seq INTEGER NOT NULL,
        last_seq INTEGER NOT NULL,
        fences BLOB,
        filter BLOB,
        checksum INTEGER
      ) STRICT;

      -- The entries of all runs, by run << 20 | the block's place in it: a hash and a row's number, eight bytes each,
      -- the least significant first.
      CREATE TABLE key_block (
        id INTEGER PRIMARY KEY,
        entries BLOB NOT NULL,
        checksum INTEGER NOT NULL
      ) STRICT;
      """)
  }

  /// The index as of the transaction's moment. Throws as `load` does.
  package static func load(_ table: IndexedTable, last: Int64, _ db: Connection) throws -> KeyIndex {
    let index = KeyIndex(of: table)
    try index.load(last: last, db)
    return index
  }

  /// Reads what the disk has, as of the transaction's moment. Throws a `KeyIndexError` when that is damaged or
  /// outdated.
  /// - Parameter last: the newest number that the table has given out.
  package func load(last: Int64, _ db: Connection) throws {
    let runs: [KeyRun]
    do {
      runs = try KeyRun.fetchAll(of: table, db)
    } catch let error as SQLiteError {
      throw KeyIndexError(error)
    }
    // Rows that the index wrongly takes for covered would not be found.
    guard runs.allSatisfy({ $0.lastSeq <= last }) else {
      throw KeyIndexError.damaged("a run of the index has numbers never given out")
    }
    replace(runs: runs)
    try cover(uncovered(db), through: last)
  }

  /// Every row up to this number can be found.
  package var covered: Int64 { state.withLock { $0.covered } }

  var runs: [KeyRun] { state.withLock { $0.runs } }

  /// All that no run has yet.
  var recent: [IndexKey: Int64] { state.withLock { $0.recent } }

  var recentCount: Int { state.withLock { $0.recent.count } }

  package func places(of key: IndexKey) -> KeyPlaces {
    state.withLock { state in
      KeyPlaces(key, recent: state.recent[key], runs: state.runs, covered: state.covered)
    }
  }

  /// The row that has this key, as the transaction sees it.
  /// - Parameter added: where else it may be.
  package func seq(of key: IndexKey, added: Int64? = nil, _ db: Connection) throws -> Int64? {
    if let added, try isRow(added, key, db) { return added }
    let blocks = try BlockReader(db)
    var places = places(of: key)
    do throws(KeyIndexError) {
      while let place = try places.next(blocks) {
        do {
          if try isRow(place, key, db) { return place }
        } catch {
          throw KeyIndexError.failed(error)
        }
      }
      return nil
    } catch {
      // The transaction has every run that the index knows.
      if case .missing = error { throw KeyIndexError.damaged("the index lacks one of its blocks") }
      throw error
    }
  }

  /// Whether the disk lacks a run that the index has. To be asked in a write transaction: a commit under way may have
  /// merged it.
  package func hasLost(_ run: Int64, _ db: Connection) throws -> Bool {
    guard runs.contains(where: { $0.id == run }) else { return false }
    return try db.first("SELECT 1 FROM key_run WHERE id = ? AND filter IS NOT NULL", run) { _ in true } == nil
  }

  private func isRow(_ number: Int64, _ key: IndexKey, _ db: Connection) throws(SQLiteError) -> Bool {
    let select = try db.statement(table.selectRow)
    try select.bind(number, at: 1)
    try select.bind(key.words, at: 2)
    defer { select.reset() }
    return try select.step()
  }

  /// The committed rows that are not covered yet, in the order of their numbers. Throws when they are too many.
  package func uncovered(_ db: Connection) throws -> [(key: IndexKey, seq: Int64)] {
    let rows = try rows(behind: covered, limit: limits.uncovered + 1, db)
    guard rows.count <= limits.uncovered else { throw KeyIndexError.outdated }
    return rows
  }

  func rows(behind seq: Int64, limit: Int, _ db: Connection) throws -> [(key: IndexKey, seq: Int64)] {
    try db.all(table.selectBehind, seq, limit) { row in
      guard let key = row.lend(1, IndexKey.init) ?? nil else { throw SQLiteError.corrupt("a key is malformed") }
      return try (key, row.integer(0))
    }
  }

  /// Takes in rows that are committed: all of them up to `last` that it does not cover yet, in the order of their
  /// numbers.
  package func cover(_ rows: some Sequence<(key: IndexKey, seq: Int64)>, through last: Int64) {
    state.withLock { state in
      for (key, seq) in rows { state.recent[key] = max(seq, state.recent[key] ?? 0) }
      state.covered = max(state.covered, last)
    }
  }

  /// Those of the keys that certainly no row has.
  func unknown(of keys: [IndexKey]) -> Set<IndexKey> {
    let (runs, old) = state.withLock { state in (state.runs, keys.filter { state.recent[$0] == nil }) }
    let hashes = old.map(\.hash)
    var mayBeKnown = Array(repeating: false, count: old.count)
    // Run by run: a large filter is in no cache of the processor's, which then waits for all keys' words at once rather
    // than for one after another.
    for run in runs {
      for index in hashes.indices where run.mayContain(hashes[index]) { mayBeKnown[index] = true }
    }
    return Set(zip(old, mayBeKnown).lazy.filter { !$0.1 }.map(\.0))
  }

  /// Goes on with these runs, which are committed.
  /// - Parameter flushed: up to here they have what was recent as well.
  func replace(runs: [KeyRun], flushed: Int64 = 0) {
    state.withLock { state in
      state.runs = runs
      state.covered = max(state.covered, runs.map(\.lastSeq).max() ?? 0)
      guard flushed > 0 else { return }
      // What another process committed since may have been covered meanwhile.
      let rest = state.covered > flushed ? state.recent.filter { $0.value > flushed } : [:]
      state.recent.removeAll(keepingCapacity: true)
      state.recent.merge(rest) { max($0, $1) }
    }
  }

  /// Forgets everything: its tables are empty.
  func clear() {
    state.withLock { $0 = State() }
  }
}

package enum KeyIndexError: Error {
  /// The snapshot has no such block. It is older than the run, or the run has been merged into another one since: ask
  /// the index once more.
  case missing(run: Int64)
  /// The index is not as it was written, and must be built anew from the rows.
  case damaged(String)
  /// The index lacks more rows than are kept in memory, and must be extended.
  case outdated
  case failed(SQLiteError)

  /// What SQLite finds damaged or missing while it reads the index's tables is the index's damage: the rows are
  /// elsewhere.
  init(_ error: SQLiteError) {
    switch error.kind {
    case .corrupt, .noSuchThing: self = .damaged(error.message)
    default: self = .failed(error)
    }
  }

  /// What is wrong.
  package var text: String {
    switch self {
    case .missing: "the index lacks one of its blocks"
    case .damaged(let text): text
    case .outdated: "the index lacks rows"
    case .failed(let error): error.message
    }
  }
}
