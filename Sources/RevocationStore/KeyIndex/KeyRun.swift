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
  func find(_ hash: UInt64, _ blocks: BlockStatement, _ found: inout [Int64]) throws(BlockError) {
    for block in self.blocks(hash) {
      try blocks.read(block) { bytes, checksum throws(BlockError) in
        try KeyBlock.find(hash, in: bytes, id: block, checksum: checksum, &found)
      }
    }
  }

  /// Throws unless the blocks that `find` reads are as they were written.
  func check(_ hash: UInt64, _ blocks: BlockStatement) throws(BlockError) {
    for block in self.blocks(hash) {
      try blocks.read(block) { bytes, checksum throws(BlockError) in
        try KeyBlock.check(bytes, id: block, checksum: checksum)
      }
    }
  }

  /// Those that may have entries with this hash: one, nearly always.
  private func blocks(_ hash: UInt64) -> Range<Int64> {
    // The block before the first one that begins with the hash or behind it may end with it.
    let first = max(0, firstFence(notBelow: hash) - 1)
    var end = first
    while end < fences.count, fences[end] <= hash { end += 1 }
    return BlockID.of(run: id, number: first)..<BlockID.of(run: id, number: end)
  }

  /// Hashes are spread evenly, so that it is near where it is by proportion: a search over all of them would wait for memory at every step.
  func firstFence(notBelow hash: UInt64) -> Int {
    // It lies in low...high.
    var (low, high) = (0, fences.count)
    var guess = Int(hash.multipliedFullWidth(by: UInt64(fences.count)).high)
    var step = 8
    while low..<high ~= guess {
      if fences[guess] < hash {
        low = guess + 1
        guess = low + step
      } else {
        high = guess
        guess = high - step
      }
      step *= 2
    }
    while low < high {
      let middle = (low + high) / 2
      if fences[middle] < hash { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
