/// Where to look for a key's row, one place after another. Whether it is still there the table says. Complete for every snapshot that has no number
/// beyond `covered`.
struct KeyPlaces {
  let covered: Int64
  private let hash: UInt64
  private var recent: Int64?
  private var unasked: [KeyRun]
  private var isFiltered = false
  private var found: [Int64] = []
  /// What it said was found, and no row so far has confirmed it.
  private var unconfirmed: KeyRun?

  init(_ key: IndexKey, recent: Int64?, runs: [KeyRun], covered: Int64) {
    self.covered = covered
    hash = key.hash
    self.recent = recent
    unasked = runs
  }

  /// The number of the next row to look at. The newest first: most look-ups are for it, and need not ask the older runs.
  mutating func next(_ blocks: BlockStatement) throws(BlockError) -> Int64? {
    if let recent = recent.take() { return recent }
    if !isFiltered {
      // All at once: a large filter is in no cache of the processor's, which then waits for all their words together.
      let hash = hash
      unasked = unasked.filter { $0.mayContain(hash) }
      isFiltered = true
    }
    while found.isEmpty {
      // A row proves its entry. Where no row does, the entry must be as it was written.
      if let run = unconfirmed.take() { try run.check(hash, blocks) }
      guard let run = unasked.popLast() else { return nil }
      try run.find(hash, blocks, &found)
      if !found.isEmpty { unconfirmed = run }
    }
    return found.popLast()
  }
}
