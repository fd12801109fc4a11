internal import SQLite
internal import Storage

/// The tables, by number. A migration of a released version is never edited: the next change is the next number.
struct Schema: Sendable {
  /// In the file's header (SQLite's `application_id`): "rvk1". Another program's database is never touched.
  static let applicationID = 0x7276_6B31
  /// "rvkd": builds before the first release, whose schemas had numbers of their own. No program migrates them.
  static let formerApplicationID = 0x7276_6B64

  static let current = Schema(migrations: [createTables])

  /// The first one makes the tables, each other one changes them.
  let migrations: [@Sendable (Connection) throws -> Void]

  var version: Int { migrations.count }

  /// Refuses what is not a store, and one of a newer program, before anything is written. Returns the schema's number:
  /// 0 for a new file.
  func check(_ db: Connection, path: String) throws -> Int {
    let application = try db.first("PRAGMA application_id") { row in try Int(row.integer(0)) } ?? 0
    let found = try db.first("PRAGMA user_version") { row in try Int(row.integer(0)) } ?? 0
    switch application {
    case Self.applicationID: break
    case Self.formerApplicationID: throw StoreError.earlierBuild(path: path)
    case 0 where try found == 0 && db.first("SELECT 1 FROM sqlite_schema LIMIT 1", make: { _ in true }) == nil:
      return 0
    default: throw StoreError.foreign(path: path, cause: "it is another program's database")
    }
    guard found >= 1 else { throw StoreError.corrupt(path: path, cause: "it has no schema number") }
    guard found <= version else { throw StoreError.schema(path: path, found: found, known: version) }
    return found
  }

  /// The same, and refuses an older one as well: only the server migrates.
  func checkIsCurrent(_ db: Connection, path: String) throws {
    let found = try check(db, path: path)
    guard found == version else { throw StoreError.schema(path: path, found: found, known: version) }
  }

  /// Takes each step in a transaction of its own, with its number: a crash between two leaves a whole schema.
  ///
  /// A step may write every row anew. SQLite's log would keep all of that until the end, and takes the longer to find a
  /// page the more it has: ten million events were not done in ten minutes. A rollback journal has only the pages that
  /// were there before and change. While a command has the store open there is no leaving the log, and it goes the long
  /// way.
  ///
  /// - Parameter begins: called with the numbers before a store is migrated that is not new.
  func migrate(_ db: Connection, from found: Int, begins: (_ from: Int, _ to: Int) -> Void) throws {
    guard found < version else { return }
    if found > 0 { begins(found, version) }
    try? db.execute("PRAGMA journal_mode = DELETE")
    for (number, migration) in zip(1..., migrations).dropFirst(found) {
      try db.write {
        try migration(db)
        try db.execute("PRAGMA application_id = \(Self.applicationID)")
        try db.execute("PRAGMA user_version = \(number)")
      }
    }
    try Self.turnLogOn(db)
  }

  static func turnLogOn(_ db: Connection) throws {
    guard try db.first("PRAGMA journal_mode = WAL", make: { try $0.text(0) }) == "wal" else {
      throw SQLiteError.io("the write-ahead log cannot be turned on")
    }
    // Makes the log's files: from now on they are to stay the same.
    try db.write {}
  }
}
