internal import SQLite

/// An immutable part of an index: entries in the order of their hashes, in blocks on disk. In memory is only what says
/// which block to read, if any.
final class KeyRun: Sendable {
  let id: Int64
  /// How often its entries have been merged.
  let level: Int
  /// It has every row behind this number, up to `lastSeq`. The run before it ends here.
  let after: Int64
  let lastSeq: Int64
  /// Each block's first hash.
  let fences: [UInt64]
  let filter: KeyFilter

  init(id: Int64, level: Int, after: Int64, lastSeq: Int64, fences: [UInt64], filter: KeyFilter) {
    self.id = id
    self.level = level
    self.after = after
    self.lastSeq = lastSeq
    self.fences = fences
    self.filter = filter
  }

  func mayContain(_ hash: UInt64) -> Bool { filter.mayContain(hash) }

  /// Adds the numbers of the rows that may have a key with this hash.
  func find(_ hash: UInt64, _ blocks: BlockReader, _ found: inout [Int64]) throws(KeyIndexError) {
    for id in blockIDs(hash) {
      try blocks.read(id) { bytes, checksum throws(KeyIndexError) in
        try KeyBlock.find(hash, in: bytes, id: id, checksum: checksum, &found)
      }
    }
  }

  /// Throws unless the blocks that `find` reads are as they were written.
  func check(_ hash: UInt64, _ blocks: BlockReader) throws(KeyIndexError) {
    for id in blockIDs(hash) {
      try blocks.read(id) { bytes, checksum throws(KeyIndexError) in
        try KeyBlock.check(bytes, id: id, checksum: checksum)
      }
    }
  }

  /// The blocks that may have entries with this hash: one, nearly always.
  private func blockIDs(_ hash: UInt64) -> Range<Int64> {
    // The block before the first one that begins with the hash or behind it may end with it.
    let first = max(0, firstFence(notBelow: hash) - 1)
    var end = first
    while end < fences.count, fences[end] <= hash { end += 1 }
    return BlockID.of(run: id, number: first)..<BlockID.of(run: id, number: end)
  }

  /// Hashes are spread evenly, so that it is near where it is by proportion: a search over all of them would wait for
  /// memory at every step.
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

extension KeyRun {
  /// The runs of the index, the oldest first. Throws when one is malformed or missing.
  /// - Parameter known: not read again.
  static func fetchAll(of table: IndexedTable, known: [KeyRun] = [], _ db: Connection) throws -> [KeyRun] {
    let ids = try db.all(
      "SELECT id FROM key_run WHERE indexed = ? AND filter IS NOT NULL ORDER BY last_seq", table.name
    ) { row in try row.integer(0) }
    let runs = try ids.map { id in try known.first { $0.id == id } ?? fetch(id, db) }
    for (run, before) in zip(runs, [0] + runs.map(\.lastSeq)) where run.after != before {
      throw KeyIndexError.damaged("the index lacks one of its runs")
    }
    return runs
  }

  private static func fetch(_ id: Int64, _ db: Connection) throws -> KeyRun {
    let sql = "SELECT level, after_seq, last_seq, fences, filter, checksum FROM key_run WHERE id = ?"
    let run: KeyRun?? = try db.first(sql, id) { row in
      // The bytes are lent: a filter may have megabytes, which are not to be copied more often than they must.
      let (level, after, lastSeq) = (row.number(0), row.number(1), row.number(2))
      let sum = row.lend(3) { fences in
        row.lend(4) { filter in checksum([id, level, after, lastSeq], fences, filter) }
      }
      guard let sum = sum ?? nil, sum == UInt64(bitPattern: row.number(5)),
        let fences = row.lend(3, LittleEndianWords.words) ?? nil,
        let filter = (row.lend(4, LittleEndianWords.words) ?? nil).flatMap(KeyFilter.init),
        // So often nothing is merged: each level has several times the entries of the one below.
        0..<64 ~= level
      else { return nil }
      return KeyRun(id: id, level: Int(level), after: after, lastSeq: lastSeq, fences: fences, filter: filter)
    }
    guard let run = run ?? nil else { throw KeyIndexError.damaged("a run of the index is malformed") }
    return run
  }

  /// Of all that a look-up relies on without reading it again.
  static func checksum(_ numbers: [Int64], _ fences: Span<UInt8>, _ filter: Span<UInt8>) -> UInt64 {
    let numbers = LittleEndianWords.bytes(numbers.map(UInt64.init(bitPattern:)))
    return Checksum.of(filter, seed: Checksum.of(fences, seed: Checksum.of(numbers.span, seed: 0)))
  }

  /// The runs that are not part of an index, any more or yet, and may have blocks.
  static func fetchAbandoned(of table: IndexedTable, _ db: Connection) throws -> [Int64] {
    try db.all("SELECT id FROM key_run WHERE indexed = ? AND filter IS NULL", table.name) { row in
      try row.integer(0)
    }
  }

  /// Deletes up to `count` of an abandoned run's blocks, and with the last one the run. Returns whether that is so.
  static func delete(abandoned id: Int64, blocks count: Int, _ db: Connection) throws -> Bool {
    try db.run(
      "DELETE FROM key_block WHERE id IN (SELECT id FROM key_block WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?)",
      BlockID.of(run: id, number: 0), BlockID.of(run: id, number: BlockID.most - 1), count)
    guard db.changes < count else { return false }
    try db.run("DELETE FROM key_run WHERE id = ?", id)
    return true
  }
}

/// A Bloom filter. The bits of a key lie in one word, so that asking costs one access to memory. A "no" is certain.
struct KeyFilter: Sendable {
  private(set) var words: [UInt64]

  init(keys: Int, bitsPerKey: Int) {
    words = Array(repeating: 0, count: max(1, (keys * bitsPerKey + 63) / 64))
  }

  /// From what was stored; `nil` if there is nothing.
  init?(words: [UInt64]) {
    guard !words.isEmpty else { return nil }
    self.words = words
  }

  mutating func insert(_ hash: UInt64) {
    words[place(of: hash)] |= Self.bits(of: hash)
  }

  func mayContain(_ hash: UInt64) -> Bool {
    let bits = Self.bits(of: hash)
    return words[place(of: hash)] & bits == bits
  }

  /// Grows with the hash: a run, which is sorted, is put in from one end to the other.
  private func place(of hash: UInt64) -> Int {
    Int(hash.multipliedFullWidth(by: UInt64(words.count)).high)
  }

  /// Four of the word's 64, by bits that do not choose the word.
  private static func bits(of hash: UInt64) -> UInt64 {
    let mixed = hash &* 0x9E37_79B9_7F4A_7C15
    return 1 << (mixed >> 58) | 1 << (mixed >> 52 & 63) | 1 << (mixed >> 46 & 63) | 1 << (mixed >> 40 & 63)
  }
}
