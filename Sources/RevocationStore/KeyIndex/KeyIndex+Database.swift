internal import Foundation
internal import GRDB

extension KeyIndex {
  /// The index as of the transaction's moment.
  static func load(_ table: IndexedTable, _ db: Database) throws -> KeyIndex {
    let index = try KeyIndex(of: table, runs: KeyRun.fetchAll(of: table, db))
    let last = try table.lastNumber(db)
    // Rows that the index wrongly takes for covered would not be found.
    guard index.covered <= last else {
      throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a run of an index has numbers never given out")
    }
    try index.cover(index.uncovered(db), through: last)
    return index
  }

  /// The rows that are not covered yet.
  func uncovered(_ db: Database) throws -> [(key: IndexKey, value: Int64)] {
    let rows = try Row.fetchCursor(
      db.cachedStatement(sql: "SELECT seq, \(table.key) FROM \(table.rawValue) WHERE seq > ? ORDER BY seq"),
      arguments: [covered])
    var entries: [(key: IndexKey, value: Int64)] = []
    while let row = try rows.next() {
      try entries.append((IndexKey(column: row.decode(atIndex: 1)), row.decode(atIndex: 0)))
    }
    return entries
  }

  /// The row that has this key.
  /// - Parameter added: where else it may be.
  func seq(of key: IndexKey, added: Int64? = nil, _ db: Database) throws -> Int64? {
    if let added, try isRow(added, key, db) { return added }
    let blocks = try BlockStatement(db)
    var places = places(of: key)
    do {
      while let place = try places.next(blocks) {
        if try isRow(place, key, db) { return place }
      }
      return nil
    } catch let error as BlockError {
      throw error.databaseError
    }
  }

  private func isRow(_ number: Int64, _ key: IndexKey, _ db: Database) throws -> Bool {
    let select = try db.cachedStatement(
      sql: "SELECT 1 FROM \(table.rawValue) WHERE seq = ? AND \(table.key) = ?")
    return try Row.fetchOne(select, arguments: [number, Data(key.bytes)]) != nil
  }
}

extension IndexedTable {
  func lastNumber(_ db: Database) throws -> Int64 {
    let tally = try Tally.fetch(db)
    return switch self {
    case .event: tally.lastEvent
    case .revocation: tally.lastRevocation
    }
  }
}

extension IndexKey {
  init(column: Data) throws {
    guard let key = IndexKey(bytes: [UInt8](column).span) else {
      throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "a key is malformed")
    }
    self = key
  }
}
