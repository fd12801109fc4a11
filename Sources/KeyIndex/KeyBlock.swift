internal import Bytes
package import SQLite

/// Some entries of a run in the order of their hashes: what is read from the disk to find one.
enum KeyBlock {
  /// Such that a row fits a page of 4,096 bytes and none overflows into a second one.
  static let capacity = 4048 / IndexEntry.size

  static func bytes(_ entries: [IndexEntry]) -> [UInt8] {
    var words: [UInt64] = []
    words.reserveCapacity(entries.count * 2)
    for entry in entries {
      words.append(entry.hash)
      words.append(UInt64(bitPattern: entry.seq))
    }
    return LittleEndianWords.bytes(words)
  }

  static func checksum(_ bytes: Span<UInt8>, id: Int64) -> UInt64 {
    Checksum.of(bytes, seed: UInt64(bitPattern: id))
  }

  static func entries(_ bytes: Span<UInt8>, id: Int64, checksum: UInt64) throws(KeyIndexError) -> [IndexEntry] {
    try check(bytes, id: id, checksum: checksum)
    return (0..<bytes.count / IndexEntry.size).map { IndexEntry(bytes, at: $0 * IndexEntry.size) }
  }

  /// Adds the numbers of the rows that may have a key with this hash.
  ///
  /// A row proves its entry, whatever has become of the block. That there is none has to be certain, and only then does
  /// the whole block have to be as it was written: a session would be taken for one that is not revoked.
  static func find(
    _ hash: UInt64, in bytes: Span<UInt8>, id: Int64, checksum: UInt64, _ found: inout [Int64]
  ) throws(KeyIndexError) {
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

  static func check(_ bytes: Span<UInt8>, id: Int64, checksum: UInt64) throws(KeyIndexError) {
    guard self.checksum(bytes, id: id) == checksum else { throw .damaged("a block of the index is malformed") }
  }

  /// It comes first in every entry.
  private static func hash(_ index: Int, _ bytes: Span<UInt8>) -> UInt64 {
    LittleEndianWords.word(at: index * IndexEntry.size, bytes)
  }
}

/// The blocks of all runs are rows of one table.
enum BlockID {
  /// So many can be told apart in a run: 265 million entries.
  static let most = 1 << 20

  /// A run's blocks are numbered one after another.
  static func of(run: Int64, number: Int) -> Int64 { run << 20 | Int64(number) }

  static func run(of block: Int64) -> Int64 { block >> 20 }
}

/// Reads blocks over one connection.
package struct BlockReader {
  private let select: Statement

  package init(_ db: Connection) throws(KeyIndexError) {
    do throws(SQLiteError) {
      select = try db.statement("SELECT entries, checksum FROM key_block WHERE id = ?")
    } catch {
      throw KeyIndexError(error)
    }
  }

  /// Lends a block's entries and their checksum.
  func read<Value>(
    _ id: Int64, _ body: (_ entries: Span<UInt8>, _ checksum: UInt64) throws(KeyIndexError) -> Value
  ) throws(KeyIndexError) -> Value {
    defer { select.reset() }
    let isFound: Bool
    do throws(SQLiteError) {
      try select.bind(id, at: 1)
      isFound = try select.step()
    } catch {
      throw KeyIndexError(error)
    }
    guard isFound else { throw .missing(run: BlockID.run(of: id)) }
    let row = select.row
    let checksum = UInt64(bitPattern: row.number(1))
    let value = try row.lend(0) { bytes throws(KeyIndexError) in try body(bytes, checksum) }
    guard let value else { throw .damaged("a block of the index is empty") }
    return value
  }
}

/// Distinguishes bytes that are as they were written from bytes that a disk has changed. It is no defence against a
/// person who can write to the file.
enum Checksum {
  /// - Parameter seed: what belongs to the bytes, such as their place: elsewhere they are wrong.
  static func of(_ bytes: Span<UInt8>, seed: UInt64) -> UInt64 {
    // Only whole words are ever written, so that any other count is wrong by itself.
    var sum = mix(seed ^ UInt64(bytes.count))
    // Each step can be undone, so that one that differs makes the end differ, whatever follows.
    for start in stride(from: 0, to: bytes.count & ~7, by: 8) {
      sum = mix(sum ^ LittleEndianWords.word(at: start, bytes))
    }
    return sum
  }

  private static func mix(_ word: UInt64) -> UInt64 {
    let product = word &* 0x9E37_79B9_7F4A_7C15
    return product ^ product >> 32
  }
}

/// Words of eight bytes as a BLOB holds them.
enum LittleEndianWords {
  static func word(at start: Int, _ bytes: Span<UInt8>) -> UInt64 { bytes.word(at: start) }

  /// Returns nil unless there are whole words.
  static func words(_ bytes: Span<UInt8>) -> [UInt64]? {
    guard bytes.count.isMultiple(of: 8) else { return nil }
    return stride(from: 0, to: bytes.count, by: 8).map { word(at: $0, bytes) }
  }

  static func bytes(_ words: [UInt64]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(words.count * 8)
    for word in words {
      for index in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(8 * index))) }
    }
    return bytes
  }
}
