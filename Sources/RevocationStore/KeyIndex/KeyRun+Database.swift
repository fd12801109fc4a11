internal import Foundation
internal import GRDB

extension KeyRun {
  /// The runs of the index, the oldest first.
  /// - Parameter known: not read again.
  static func fetchAll(of table: IndexedTable, known: [KeyRun] = [], _ db: Database) throws -> [KeyRun] {
    let ids = try Int64.fetchAll(
      db, sql: "SELECT id FROM key_run WHERE indexed = ? AND filter IS NOT NULL ORDER BY last_seq",
      arguments: [table.rawValue])
    return try ids.map { id in try known.first { $0.id == id } ?? fetch(id, db) }
  }

  private static func fetch(_ id: Int64, _ db: Database) throws -> KeyRun {
    // By a cursor, which lends what it reads: a run's filter may have megabytes, which are not to be copied more often than they must.
    let rows = try Row.fetchCursor(
      db, sql: "SELECT level, last_seq, fences, filter, checksum FROM key_run WHERE id = ?", arguments: [id])
    guard let row = try rows.next(), let fences = try words(row, 2),
      let filter = try words(row, 3).flatMap(KeyFilter.init),
      // So often nothing is merged: each level has several times the entries of the one below.
      let level = try row.decode(Int?.self, atIndex: 0), 0..<64 ~= level,
      let lastSeq = try row.decode(Int64?.self, atIndex: 1),
      try checksum(id: id, level, lastSeq, row) == row.decode(Int64?.self, atIndex: 4).map(UInt64.init(bitPattern:))
    else { throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a run of an index is malformed") }
    return KeyRun(id: id, level: level, lastSeq: lastSeq, fences: fences, filter: filter)
  }

  private static func words(_ row: Row, _ column: Int) throws -> [UInt64]? {
    // Lent by SQLite until the cursor moves on.
    try row.withUnsafeData(atIndex: column) { data in
      data.flatMap { LittleEndianWords.words($0.span) }
    }
  }

  private static func checksum(id: Int64, _ level: Int, _ lastSeq: Int64, _ row: Row) throws -> UInt64? {
    try row.withUnsafeData(atIndex: 2) { fences in
      try row.withUnsafeData(atIndex: 3) { filter in
        guard let fences, let filter else { return nil }
        return checksum(id: id, level, lastSeq, fences.span, filter.span)
      }
    }
  }

  /// Of all that a look-up trusts without reading it again.
  static func checksum(
    id: Int64, _ level: Int, _ lastSeq: Int64, _ fences: Span<UInt8>, _ filter: Span<UInt8>
  ) -> UInt64 {
    let numbers = LittleEndianWords.bytes([id, Int64(level), lastSeq].map(UInt64.init(bitPattern:)))
    return Checksum.of(filter, seed: Checksum.of(fences, seed: Checksum.of(numbers.span, seed: 0)))
  }

  /// The runs that are no longer, or never came to be, part of an index, but may have blocks.
  static func fetchAbandoned(of table: IndexedTable, _ db: Database) throws -> [Int64] {
    try Int64.fetchAll(
      db, sql: "SELECT id FROM key_run WHERE indexed = ? AND filter IS NULL", arguments: [table.rawValue])
  }

  /// Deletes up to `count` of an abandoned run's blocks, and with the last one the run. Answers whether that is so.
  static func delete(abandoned id: Int64, blocks count: Int, _ db: Database) throws -> Bool {
    try db.cachedStatement(
      sql: """
        DELETE FROM key_block WHERE id IN (SELECT id FROM key_block WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?)
        """
    ).execute(arguments: [BlockID.of(run: id, number: 0), BlockID.of(run: id, number: BlockID.most - 1), count])
    guard db.changesCount < count else { return false }
    try db.execute(sql: "DELETE FROM key_run WHERE id = ?", arguments: [id])
    return true
  }
}
