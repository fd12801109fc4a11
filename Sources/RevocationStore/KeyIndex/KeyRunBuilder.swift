internal import Foundation
internal import GRDB

/// Writes a run, block by block. Until it is finished the run is an abandoned one, so that nothing is left over after a crash.
struct KeyRunBuilder {
  /// A look-up asks all runs alike, so certainty is bought where it is cheap: for the small ones. From the fourth level on they hold nearly
  /// all keys, and each bit is a megabyte of memory for eight million.
  private static func bitsPerKey(level: Int) -> Int { level < 4 ? 16 - 2 * level : 6 }

  let id: Int64
  private let level: Int
  private let lastSeq: Int64
  private var pending: [IndexEntry] = []
  private var fences: [UInt64] = []
  private var filter: KeyFilter

  /// - Parameter keys: how many there will be at most.
  init(of table: IndexedTable, level: Int, lastSeq: Int64, keys: Int, _ db: Database) throws {
    self.level = level
    self.lastSeq = lastSeq
    filter = KeyFilter(keys: keys, bitsPerKey: Self.bitsPerKey(level: level))
    try db.cachedStatement(sql: "INSERT INTO key_run (indexed, level, last_seq) VALUES (?, ?, ?)")
      .execute(arguments: [table.rawValue, level, lastSeq])
    id = db.lastInsertedRowID
  }

  /// In the order of the hashes.
  mutating func append(_ entry: IndexEntry, _ db: Database) throws {
    filter.insert(entry.hash)
    pending.append(entry)
    if pending.count == KeyBlock.capacity { try writeBlock(db) }
  }

  mutating func finish(_ db: Database) throws -> KeyRun {
    if !pending.isEmpty { try writeBlock(db) }
    let (fenceBytes, filterBytes) = (LittleEndianWords.bytes(fences), LittleEndianWords.bytes(filter.words))
    let checksum = KeyRun.checksum(id: id, level, lastSeq, fenceBytes.span, filterBytes.span)
    try db.cachedStatement(sql: "UPDATE key_run SET fences = ?, filter = ?, checksum = ? WHERE id = ?")
      .execute(arguments: [Data(fenceBytes), Data(filterBytes), Int64(bitPattern: checksum), id])
    return KeyRun(id: id, level: level, lastSeq: lastSeq, fences: fences, filter: filter)
  }

  private mutating func writeBlock(_ db: Database) throws {
    let insert = try PreparedStatement(db, sql: "INSERT INTO key_block (id, entries, checksum) VALUES (?, ?, ?)")
    let block = BlockID.of(run: id, number: fences.count)
    let bytes = KeyBlock.bytes(pending)
    try insert.bind(block, at: 1)
    try insert.bind(bytes, at: 2)
    try insert.bind(Int64(bitPattern: KeyBlock.checksum(bytes.span, id: block)), at: 3)
    _ = try insert.run()
    fences.append(pending[0].hash)
    pending.removeAll(keepingCapacity: true)
  }
}
