/// Where to look for a key's row, one place after another. Whether it is still there the table says. Complete for every
/// snapshot that has no number beyond `covered`.
package struct KeyPlaces {
  package let covered: Int64
  private let hash: UInt64
  private var recent: Int64?
  private let runs: [KeyRun]
  /// From here on no run is left to ask. The newest come last, and are asked first: most look-ups are for them.
  private var unasked: Int
  private var found: [Int64] = []
  /// A run that said what was found, while no row has confirmed it.
  private var unconfirmed: KeyRun?

  init(_ key: IndexKey, recent: Int64?, runs: [KeyRun], covered: Int64) {
    self.covered = covered
    hash = key.hash
    self.recent = recent
    self.runs = runs
    unasked = runs.count
  }

  /// The number of the next row to look at; nil when the key certainly has none.
  package mutating func next(_ blocks: BlockReader) throws(KeyIndexError) -> Int64? {
    if let recent = recent.take() { return recent }
    while found.isEmpty {
      // A row proves its entry. Where no row does, the entry must be as it was written.
      if let run = unconfirmed.take() { try run.check(hash, blocks) }
      guard let run = nextRun() else { return nil }
      try run.find(hash, blocks, &found)
      if !found.isEmpty { unconfirmed = run }
    }
    return found.popLast()
  }

  private mutating func nextRun() -> KeyRun? {
    while unasked > 0 {
      unasked -= 1
      if runs[unasked].mayContain(hash) { return runs[unasked] }
    }
    return nil
  }
}
