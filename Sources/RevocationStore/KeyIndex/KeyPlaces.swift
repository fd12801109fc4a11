/// Where to look for a key's row, one place after another: whether it is there only the table says. Complete for every snapshot that has no
/// number beyond `covered`.
struct KeyPlaces {
  let covered: Int64
  private let hash: UInt64
  private var recent: Int64?
  private let runs: [KeyRun]
  private var unasked: Int
  private var found: [Int64] = []

  init(hash: UInt64, recent: Int64?, runs: [KeyRun], covered: Int64) {
    self.covered = covered
    self.hash = hash
    self.recent = recent
    self.runs = runs
    unasked = runs.count
  }

  /// The number of the next row to look at. The newest first: most look-ups are for it, and need not ask the older runs.
  mutating func next(_ blocks: BlockStatement) throws(BlockError) -> Int64? {
    if let recent = recent.take() { return recent }
    while found.isEmpty, unasked > 0 {
      unasked -= 1
      try runs[unasked].find(hash, blocks, &found)
    }
    return found.popLast()
  }
}
