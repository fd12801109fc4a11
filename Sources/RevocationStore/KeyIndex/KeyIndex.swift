internal import Synchronization

/// Finds the rows of a table by their random keys, at a cost that hardly grows with the table: a log-structured merge tree.
///
/// An index of SQLite's has a page to dirty at random for every key, and at ten million keys none of them is in memory. Here the keys of the newest
/// rows are in memory alone: the table itself is their log, and whoever opens the store reads them from its end. Once there are enough
/// they are written down sorted, as a run, and runs of about the same size are merged into larger ones. All of that is in
/// the transactions that append rows, a little in each, so that it is as durable as they are, needs no thread and never falls behind.
///
/// The index says where a key's row may be. The row has the key itself and is compared, so an entry too many does no harm: of a row that was
/// pruned, or moved to another number. A row that it has no entry for would not be found: hence `covered`, and the checksums of what is on disk.
final class KeyIndex: Sendable {
  private struct State {
    var runs: [KeyRun] = []
    /// What no run has yet.
    var recent: [IndexKey: Int64] = [:]
    var covered: Int64 = 0
  }

  let table: IndexedTable
  private let state: Mutex<State>

  init(of table: IndexedTable, runs: [KeyRun]) {
    self.table = table
    state = Mutex(State(runs: runs, covered: runs.map(\.lastSeq).max() ?? 0))
  }

  /// Every row up to this number can be found.
  var covered: Int64 { state.withLock { $0.covered } }

  var runs: [KeyRun] { state.withLock { $0.runs } }

  /// All that no run has yet.
  var recent: [IndexKey: Int64] { state.withLock { $0.recent } }

  var recentCount: Int { state.withLock { $0.recent.count } }

  func places(of key: IndexKey) -> KeyPlaces {
    state.withLock { state in
      KeyPlaces(key, recent: state.recent[key], runs: state.runs, covered: state.covered)
    }
  }

  /// Those of the keys that certainly no row has.
  func unknown(of keys: [IndexKey]) -> Set<IndexKey> {
    let (runs, old) = state.withLock { state in (state.runs, keys.filter { state.recent[$0] == nil }) }
    let hashes = old.map(\.hash)
    var mayBeKnown = Array(repeating: false, count: old.count)
    // Run by run: a large filter is in no cache of the processor's, which then waits for all keys' words at once rather than for one after another.
    for run in runs {
      for index in hashes.indices where run.mayContain(hashes[index]) { mayBeKnown[index] = true }
    }
    return Set(zip(old, mayBeKnown).lazy.filter { !$0.1 }.map(\.0))
  }

  /// Takes in rows that are committed: all of them up to `last` that it does not cover yet, in the order of their numbers.
  func cover(_ rows: some Sequence<(key: IndexKey, value: Int64)>, through last: Int64) {
    state.withLock { state in
      for (key, seq) in rows { state.recent[key] = max(seq, state.recent[key] ?? 0) }
      state.covered = max(state.covered, last)
    }
  }

  /// Goes on with these runs, which are committed.
  /// - Parameter flushed: up to here they have what was recent as well.
  func replace(runs: [KeyRun], flushed: Int64 = 0) {
    state.withLock { state in
      state.runs = runs
      guard flushed > 0 else { return }
      // What another process committed since may have been covered meanwhile.
      let rest = state.covered > flushed ? state.recent.filter { $0.value > flushed } : [:]
      state.recent.removeAll(keepingCapacity: true)
      state.recent.merge(rest) { max($0, $1) }
    }
  }
}
