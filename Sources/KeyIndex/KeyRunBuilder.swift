internal import SQLite

/// Writes a run, block by block. Until it is finished the run is an abandoned one, so that nothing is left over after a
/// crash.
struct KeyRunBuilder {
  /// A look-up asks all runs alike, so certainty is bought where it is cheap: for the small ones. From the fourth level
  /// on they hold nearly all keys, and each bit is a megabyte of memory for eight million.
  private static func bitsPerKey(level: Int) -> Int { level < 4 ? 16 - 2 * level : 6 }

  let id: Int64
  private let level: Int
  private let after: Int64
  private let lastSeq: Int64
  private var pending: [IndexEntry] = []
  private var fences: [UInt64] = []
  private var filter: KeyFilter

  /// - Parameter keys: how many there will be at most.
  init(
    of table: IndexedTable, level: Int, after: Int64, lastSeq: Int64, keys: Int, _ db: Connection
  ) throws {
    self.level = level
    self.after = after
    self.lastSeq = lastSeq
    filter = KeyFilter(keys: keys, bitsPerKey: Self.bitsPerKey(level: level))
    try db.run(
      "INSERT INTO key_run (indexed, level, after_seq, last_seq) VALUES (?, ?, ?, ?)", table.name, level, after, lastSeq
    )
    id = db.lastInsertedRowID
  }

  /// In the order of the hashes.
  mutating func append(_ entry: IndexEntry, _ db: Connection) throws {
    filter.insert(entry.hash)
    pending.append(entry)
    if pending.count == KeyBlock.capacity { try writeBlock(db) }
  }

  mutating func finish(_ db: Connection) throws -> KeyRun {
    if !pending.isEmpty { try writeBlock(db) }
    let (fenceBytes, filterBytes) = (LittleEndianWords.bytes(fences), LittleEndianWords.bytes(filter.words))
    let checksum = KeyRun.checksum([id, Int64(level), after, lastSeq], fenceBytes.span, filterBytes.span)
    try db.run(
      "UPDATE key_run SET fences = ?, filter = ?, checksum = ? WHERE id = ?", fenceBytes, filterBytes,
      Int64(bitPattern: checksum), id)
    return KeyRun(id: id, level: level, after: after, lastSeq: lastSeq, fences: fences, filter: filter)
  }

  private mutating func writeBlock(_ db: Connection) throws {
    let block = BlockID.of(run: id, number: fences.count)
    let bytes = KeyBlock.bytes(pending)
    let checksum = KeyBlock.checksum(bytes.span, id: block)
    try db.run(
      "INSERT INTO key_block (id, entries, checksum) VALUES (?, ?, ?)", block, bytes, Int64(bitPattern: checksum))
    fences.append(pending[0].hash)
    pending.removeAll(keepingCapacity: true)
  }
}
