internal import DynamicEvents
internal import SQLite
package import Storage

extension RevocationStore: StoreCopying {
  package func export(_ take: CopiedRows.Taking) throws(StoreError) -> Tally {
    try read { db in
      for table in CopiedTable.all {
        try table.export(take) { behind in try table.page(db, behind) }
      }
      return try Tally.fetch(db)
    }
  }

  package func load(_ rows: (_ take: CopiedRows.Taking) throws -> Tally) throws(StoreError) {
    guard mode == .repair else { throw .readOnly(path: path) }
    // What a new store has.
    try write { db in try db.execute("DELETE FROM state; DELETE FROM retention; DELETE FROM feed_epoch") }
    let tally: Tally
    do {
      tally = try rows { page in try self.write { db in try page.table.insert(page.rows, db) } }
    } catch {
      throw StoreError(error, path: path)
    }
    try write { db in
      try db.run(
        "UPDATE tally SET last_event = ?, last_revocation = ?, last_received_at = ?", tally.lastEvent,
        tally.lastRevocation, tally.lastReceivedAt?.milliseconds)
    }
    _ = try rebuild { _, _, _ in }
  }
}

extension CopiedTable {
  private var list: String { columns.map(\.name).joined(separator: ", ") }

  fileprivate func page(_ db: Connection, _ behind: [CopiedValue]?) throws -> [[CopiedValue]] {
    let order = key.map(\.name).joined(separator: ", ")
    let places = key.map { _ in "?" }.joined(separator: ", ")
    let condition = behind == nil ? "" : "WHERE (\(order)) > (\(places))"
    let statement = try db.statement(
      "SELECT \(list) FROM \(name) \(condition) ORDER BY \(order) LIMIT \(CopiedRows.most)")
    for (index, value) in zip(CInt(1)..., behind ?? []) { try statement.bind(value, at: index) }
    var rows: [[CopiedValue]] = []
    try statement.walk { row in
      var values: [CopiedValue] = []
      for (index, column) in zip(CInt(0)..., columns) { values.append(try column.value(of: row, at: index)) }
      rows.append(values)
      return true
    }
    return rows
  }

  fileprivate func insert(_ rows: [[CopiedValue]], _ db: Connection) throws {
    let places = columns.map { _ in "?" }.joined(separator: ", ")
    let statement = try db.statement("INSERT INTO \(name) (\(list)) VALUES (\(places))")
    for row in rows {
      for (index, value) in zip(CInt(1)..., row) { try statement.bind(value, at: index) }
      try statement.run()
    }
  }
}

extension CopiedTable.Column {
  fileprivate func value(of row: borrowing Row, at index: CInt) throws(SQLiteError) -> CopiedValue {
    if row.isNull(index) { return .none }
    return switch kind {
    case .integer: .integer(try row.integer(index))
    case .text, .uuidText: .text(try row.text(index))
    case .bytes, .uuid: .bytes(try row.blob(index))
    }
  }
}

extension Statement {
  fileprivate func bind(_ value: CopiedValue, at index: CInt) throws(SQLiteError) {
    switch value {
    case .none: try bindNull(at: index)
    case .integer(let number): try bind(number, at: index)
    case .text(let text): try bind(text, at: index)
    case .bytes(let bytes): try bind(bytes, at: index)
    }
  }
}
