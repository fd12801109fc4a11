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
