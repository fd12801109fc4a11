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

  static func checksum(_ bytes: Span<UInt8>, id: Int64) -> UInt64 {
    Checksum.of(bytes, seed: UInt64(bitPattern: id))
  }

  static func entries(_ bytes: Span<UInt8>, id: Int64, checksum: UInt64) throws(BlockError) -> [Entry] {
    try check(bytes, id, checksum)
    return (0..<bytes.count / entrySize).map { Entry(bytes, at: $0 * entrySize) }
  }

  /// Adds what may be of the key.
  ///
  /// What is found is the key's own, whatever has become of the rest. That there is nothing has to be certain, and only then does the whole block
  /// have to be as it was written: a session would be taken for one that is not revoked.
  static func find(
    _ key: IndexKey, in bytes: Span<UInt8>, id: Int64, checksum: UInt64, _ found: inout [Entry]
  ) throws(BlockError) {
    let count = bytes.count / entrySize
    let hash = key.hash
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self.hash(middle, bytes) < hash { low = middle + 1 } else { high = middle }
    }
    let before = found.count
    while low < count, self.hash(low, bytes) == hash {
      let entry = Entry(bytes, at: low * entrySize)
      if entry.mayBe(of: key) { found.append(entry) }
      low += 1
    }
    if found.count == before { try check(bytes, id, checksum) }
  }

  private static func check(_ bytes: Span<UInt8>, _ id: Int64, _ checksum: UInt64) throws(BlockError) {
    guard self.checksum(bytes, id: id) == checksum else { throw .malformed }
  }

  /// It comes first in every entry.
  private static func hash(_ index: Int, _ bytes: Span<UInt8>) -> UInt64 {
    LittleEndianWords.word(at: index * entrySize, bytes)
  }
}
