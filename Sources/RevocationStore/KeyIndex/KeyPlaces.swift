/// Where to look for a key's row, one place after another, and what runs have of it. Whether it is still there the table says. Complete for every
/// snapshot that has no number beyond `covered`.
struct KeyPlaces<Entry: IndexEntry> {
  let covered: Int64
  private let key: IndexKey
  private var recent: Int64?
  private var unasked: [KeyRun<Entry>]
  private var isFiltered = false
  private var found: [Entry] = []

  init(_ key: IndexKey, recent: Int64?, runs: [KeyRun<Entry>], covered: Int64) {
    self.covered = covered
    self.key = key
    self.recent = recent
    unasked = runs
  }

  /// The number of the next row to look at, and what a run has of it. The newest first: most look-ups are for it, and need not ask the older runs.
  mutating func next(_ blocks: BlockStatement) throws(BlockError) -> (seq: Int64, entry: Entry?)? {
    if let recent = recent.take() { return (recent, nil) }
    if !isFiltered {
      // All at once: a large filter is in no cache of the processor's, which then waits for all their words together.
      let hash = key.hash
      unasked = unasked.filter { $0.mayContain(hash) }
      isFiltered = true
    }
    while found.isEmpty, let run = unasked.popLast() { try run.find(key, blocks, &found) }
    return found.popLast().map { ($0.seq, $0) }
  }
}
