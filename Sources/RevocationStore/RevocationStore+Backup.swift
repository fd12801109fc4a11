internal import GRDB

extension RevocationStore {
  /// Copies the store, as of one moment, to a file that is a store itself; a server may be writing meanwhile. The file
  /// appears under its name once it is whole and on disk, readable by its owner alone.
  ///
  /// Throws `.exists` when there is such a file and it is not to be replaced, or there is a log beside it. Answers what the copy holds.
  package func backUp(to path: String, replacing: Bool = false) throws(StoreError) -> Tally {
    guard FileIdentity(path) != FileIdentity(self.path) else {
      throw .io(path: path, cause: "it is the store itself")
    }
    let file = try BackupFile(path, replacing: replacing)
    let temporary = file.temporary
    let tally = try read { db in
      // The first read fixes the moment: without it each step below would see another state, and begin again.
      let tally = try Tally.fetch(db)
      do {
        try Self.copy(db, to: temporary)
      } catch let error as DatabaseError where error.resultCode == .SQLITE_FULL {
        throw StoreError.full(path: temporary)
      }
      return tally
    }
    try file.keep()
    return tally
  }

  private static func copy(_ db: Database, to path: String) throws {
    var configuration = Configuration()
    configuration.label = "revoked.backup"
    let copy = try DatabaseQueue(path: path, configuration: configuration)
    try copy.writeWithoutTransaction { copy in
      // What fails is thrown away whole, and what succeeds is synced once, at the end.
      try copy.execute(sql: "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
      try db.backup(to: copy)
    }
    try copy.close()
    // The copy says of itself that it has a log, as the store does. One that says it has none is told apart from a store, should somebody put it
    // beside the log of another: SQLite would play that into it.
    let whole = try DatabaseQueue(path: path, configuration: configuration)
    try whole.writeWithoutTransaction { db in
      guard try String.fetchOne(db, sql: "PRAGMA journal_mode = DELETE") == "delete" else {
        throw StoreError.io(path: path, cause: "it cannot be parted from its log")
      }
    }
    try whole.close()
  }
}
