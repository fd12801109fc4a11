/// An immutable part of an index: entries in the order of their hashes, in blocks on disk; in memory only what tells which block to read, if any.
final class KeyRun: Sendable {
  let id: Int64
  /// How often its entries have been merged.
  let level: Int
  /// It has been told of all rows up to here that no older run has.
  let lastSeq: Int64
  /// Each block's first hash.
  let fences: [UInt64]
  private let filter: KeyFilter

  init(id: Int64, level: Int, lastSeq: Int64, fences: [UInt64], filter: KeyFilter) {
    self.id = id
    self.level = level
    self.lastSeq = lastSeq
    self.fences = fences
    self.filter = filter
  }

  func mayContain(_ hash: UInt64) -> Bool { filter.mayContain(hash) }

  /// Adds the numbers of the rows that may have a key with this hash.
  func find(_ hash: UInt64, _ blocks: BlockStatement, _ numbers: inout [Int64]) throws(BlockError) {
    guard filter.mayContain(hash) else { return }
    // The block before the first one that begins with the hash or behind it may end with it.
    var number = max(0, firstFence(notBelow: hash) - 1)
    while number < fences.count, fences[number] <= hash {
      try blocks.read(KeyBlock.id(run: id, number: number)) { KeyBlock.find(hash, in: $0, &numbers) }
      number += 1
    }
  }

  private func firstFence(notBelow hash: UInt64) -> Int {
    var (low, high) = (0, fences.count)
    while low < high {
      let middle = (low + high) / 2
      if fences[middle] < hash { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
