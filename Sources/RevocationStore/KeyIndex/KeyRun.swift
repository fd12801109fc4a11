/// An immutable part of an index: entries in the order of their hashes, in blocks on disk; in memory only what tells which block to read, if any.
final class KeyRun<Entry: IndexEntry>: Sendable {
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

  /// Adds what may be of the key.
  func find(_ key: IndexKey, _ blocks: BlockStatement, _ found: inout [Entry]) throws(BlockError) {
    let hash = key.hash
    // The block before the first one that begins with the hash or behind it may end with it.
    var number = max(0, firstFence(notBelow: hash) - 1)
    while number < fences.count, fences[number] <= hash {
      let block = BlockID.of(run: id, number: number)
      try blocks.read(block) { bytes, checksum throws(BlockError) in
        try KeyBlock.find(key, in: bytes, id: block, checksum: checksum, &found)
      }
      number += 1
    }
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
