/// Some entries of a run in the order of their hashes: what is read from the disk to find one.
enum KeyBlock {
  /// Such that a row fits a page of 4,096 bytes and none overflows into a second one.
  static let capacity = 4048 / IndexEntry.size

  static func bytes(_ entries: some Collection<IndexEntry>) -> [UInt8] {
    LittleEndianWords.bytes(entries.flatMap { [$0.hash, UInt64(bitPattern: $0.seq)] })
  }

  static func checksum(_ bytes: Span<UInt8>, id: Int64) -> UInt64 {
    Checksum.of(bytes, seed: UInt64(bitPattern: id))
  }

  static func entries(_ bytes: Span<UInt8>, id: Int64, checksum: UInt64) throws(BlockError) -> [IndexEntry] {
    try check(bytes, id: id, checksum: checksum)
    return (0..<bytes.count / IndexEntry.size).map { IndexEntry(bytes, at: $0 * IndexEntry.size) }
  }

  /// Adds the numbers of the rows that may have the key.
  ///
  /// The rows say whether they have it, whatever has become of the block. That there is none has to be certain, and only then does the whole block
  /// have to be as it was written: a session would be taken for one that is not revoked.
  static func find(
    _ hash: UInt64, in bytes: Span<UInt8>, id: Int64, checksum: UInt64, _ found: inout [Int64]
  ) throws(BlockError) {
    let count = bytes.count / IndexEntry.size
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self.hash(middle, bytes) < hash { low = middle + 1 } else { high = middle }
    }
    let before = found.count
    while low < count, self.hash(low, bytes) == hash {
      found.append(IndexEntry(bytes, at: low * IndexEntry.size).seq)
      low += 1
    }
    if found.count == before { try check(bytes, id: id, checksum: checksum) }
  }

  static func check(_ bytes: Span<UInt8>, id: Int64, checksum: UInt64) throws(BlockError) {
    guard self.checksum(bytes, id: id) == checksum else { throw .malformed }
  }

  /// It comes first in every entry.
  private static func hash(_ index: Int, _ bytes: Span<UInt8>) -> UInt64 {
    LittleEndianWords.word(at: index * IndexEntry.size, bytes)
  }
}
