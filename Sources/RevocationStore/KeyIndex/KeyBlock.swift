/// Some hundred entries of a run in the order of their hashes: what is read from the disk to find one.
enum KeyBlock {
  /// Such that a row fits a page of 4,096 bytes and none overflows into a second one.
  static let capacity = 253
  private static let entrySize = 16

  /// A run's blocks are numbered one after another.
  static func id(run: Int64, number: Int) -> Int64 { run << 20 | Int64(number) }

  /// So many can be told apart: 265 million keys.
  static let most = 1 << 20

  static func bytes(_ entries: some Collection<KeyEntry>) -> [UInt8] {
    LittleEndianWords.bytes(entries.flatMap { [$0.hash, UInt64(bitPattern: $0.seq)] })
  }

  static func entries(_ bytes: Span<UInt8>) -> [KeyEntry] {
    (0..<bytes.count / entrySize).map { entry($0, bytes) }
  }

  /// Adds the numbers of the rows that may have a key with this hash.
  static func find(_ hash: UInt64, in bytes: Span<UInt8>, _ numbers: inout [Int64]) {
    var (low, high) = (0, bytes.count / entrySize)
    while low < high {
      let middle = (low + high) / 2
      if entry(middle, bytes).hash < hash { low = middle + 1 } else { high = middle }
    }
    while low < bytes.count / entrySize, case let entry = entry(low, bytes), entry.hash == hash {
      numbers.append(entry.seq)
      low += 1
    }
  }

  private static func entry(_ index: Int, _ bytes: Span<UInt8>) -> KeyEntry {
    let start = index * entrySize
    return KeyEntry(
      hash: LittleEndianWords.word(at: start, bytes),
      seq: Int64(bitPattern: LittleEndianWords.word(at: start + 8, bytes)))
  }
}
