/// That the row with this number may have a key with this hash.
struct IndexEntry: Hashable, Sendable {
  /// In a block it is two words of eight bytes.
  static let size = 16

  /// The key's: what the entries of a run are sorted by.
  let hash: UInt64
  /// The row's number.
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
