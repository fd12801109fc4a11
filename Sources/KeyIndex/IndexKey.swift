/// A key that a row is found by: sixteen bytes, random or a digest's. No two rows have the same.
package struct IndexKey: Hashable, Sendable {
  /// The bytes as two words in memory have them.
  package let words: (UInt64, UInt64)

  package init(_ words: (UInt64, UInt64)) {
    self.words = words
  }

  /// From the table's column; nil unless there are sixteen bytes.
  package init?(_ bytes: Span<UInt8>) {
    guard bytes.count == 16 else { return nil }
    words = (LittleEndianWords.word(at: 0, bytes), LittleEndianWords.word(at: 8, bytes))
  }

  /// What the index sorts by. Two keys may share it, but then their second halves differ.
  var hash: UInt64 {
    // Spreads ids that are counted up rather than drawn as well (the finalizer of splitmix64).
    var hash = words.0 &* 0x9E37_79B9_7F4A_7C15 ^ words.1
    hash = (hash ^ hash >> 30) &* 0xBF58_476D_1CE4_E5B9
    hash = (hash ^ hash >> 27) &* 0x94D0_49BB_1331_11EB
    return hash ^ hash >> 31
  }

  package static func == (left: IndexKey, right: IndexKey) -> Bool { left.words == right.words }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(hash)
  }
}

/// That the row with this number may have a key with this hash: all that the index says.
struct IndexEntry: Hashable, Sendable {
  /// In a block it is two words of eight bytes.
  static let size = 16

  let hash: UInt64
  let seq: Int64

  init(hash: UInt64, seq: Int64) {
    self.hash = hash
    self.seq = seq
  }

  /// From a block that has the whole entry there.
  init(_ block: Span<UInt8>, at start: Int) {
    hash = LittleEndianWords.word(at: start, block)
    seq = Int64(bitPattern: LittleEndianWords.word(at: start + 8, block))
  }
}

/// A table whose rows are found by a key. Its rows have numbers that only grow (`seq`, the primary key).
package struct IndexedTable: Sendable {
  package let name: String
  /// The column that holds the key.
  let key: String
  // Made once: putting a statement's text together costs more than running it.
  let selectRow: String
  let selectBehind: String

  package init(_ name: String, key: String) {
    self.name = name
    self.key = key
    selectRow = "SELECT 1 FROM \(name) WHERE seq = ? AND \(key) = ?"
    selectBehind = "SELECT seq, \(key) FROM \(name) WHERE seq > ? ORDER BY seq LIMIT ?"
  }
}

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
