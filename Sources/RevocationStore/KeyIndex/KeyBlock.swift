/// Some entries of a run in the order of their hashes: what is read from the disk to find one.
enum KeyBlock<Entry: IndexEntry> {
  private static var entrySize: Int { Entry.words * 8 }

  /// Such that a row fits a page of 4,096 bytes and none overflows into a second one.
  static var capacity: Int { 4048 / entrySize }

  static func bytes(_ entries: some Collection<Entry>) -> [UInt8] {
    var words: [UInt64] = []
    words.reserveCapacity(entries.count * Entry.words)
    for entry in entries { entry.append(to: &words) }
    return LittleEndianWords.bytes(words)
  }

  static func entries(_ bytes: Span<UInt8>) throws(BlockError) -> [Entry] {
    try (0..<count(bytes)).map { Entry(bytes, at: $0 * entrySize) }
  }

  /// Adds what may be of a key with this hash.
  static func find(_ hash: UInt64, in bytes: Span<UInt8>, _ found: inout [Entry]) throws(BlockError) {
    let count = try count(bytes)
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self.hash(middle, bytes) < hash { low = middle + 1 } else { high = middle }
    }
    while low < count, self.hash(low, bytes) == hash {
      found.append(Entry(bytes, at: low * entrySize))
      low += 1
    }
  }

  /// Half an entry is damage: a session would be taken for one that is not revoked.
  private static func count(_ bytes: Span<UInt8>) throws(BlockError) -> Int {
    guard !bytes.isEmpty, bytes.count.isMultiple(of: entrySize) else { throw .malformed }
    return bytes.count / entrySize
  }

  /// It comes first in every entry.
  private static func hash(_ index: Int, _ bytes: Span<UInt8>) -> UInt64 {
    LittleEndianWords.word(at: index * entrySize, bytes)
  }
}
