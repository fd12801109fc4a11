internal import Foundation
internal import GRDB

/// Writes a run, block by block. Until it is finished the run is an abandoned one, so that nothing is left over after a crash.
struct KeyRunBuilder {
  /// A run of the lower levels is small, and each look-up asks several of them. From here on they hold nearly all keys: what they save is the memory.
  private static let firstLargeLevel = 3

  let id: Int64
  private let level: Int
  private let lastSeq: Int64
  private var pending: [KeyEntry] = []
  private var fences: [UInt64] = []
  private var filter: KeyFilter

  /// - Parameter keys: how many there will be at most.
  init(_ table: IndexedTable, level: Int, lastSeq: Int64, keys: Int, _ db: Database) throws {
    self.level = level
    self.lastSeq = lastSeq
    filter = KeyFilter(keys: keys, bitsPerKey: level < Self.firstLargeLevel ? 12 : 6)
    try db.cachedStatement(sql: "INSERT INTO key_run (indexed, level, last_seq) VALUES (?, ?, ?)")
      .execute(arguments: [table.rawValue, level, lastSeq])
    id = db.lastInsertedRowID
  }

  /// In the order of the hashes.
  mutating func append(_ entry: KeyEntry, _ db: Database) throws {
    filter.insert(entry.hash)
    pending.append(entry)
    if pending.count == KeyBlock.capacity { try writeBlock(db) }
  }

  mutating func finish(_ db: Database) throws -> KeyRun {
    if !pending.isEmpty { try writeBlock(db) }
    try db.cachedStatement(sql: "UPDATE key_run SET fences = ?, filter = ? WHERE id = ?").execute(arguments: [
      Data(LittleEndianWords.bytes(fences)), Data(LittleEndianWords.bytes(filter.words)), id,
    ])
    return KeyRun(id: id, level: level, lastSeq: lastSeq, fences: fences, filter: filter)
  }

  private mutating func writeBlock(_ db: Database) throws {
    let insert = try PreparedStatement(db, sql: "INSERT INTO key_block (id, entries) VALUES (?, ?)")
    try insert.bind(KeyBlock.id(run: id, number: fences.count), at: 1)
    try insert.bind(KeyBlock.bytes(pending), at: 2)
    _ = try insert.run()
    fences.append(pending[0].hash)
    pending.removeAll(keepingCapacity: true)
  }
}
