internal import DynamicEvents
internal import SQLite
package import Storage

extension RevocationStore {
  package func state(_ name: StateName) throws(StoreError) -> String? {
    try read { db in try Self.state(name, db) }
  }

  /// - Parameter value: nil removes the name.
  package func setState(_ name: StateName, to value: String?) throws(StoreError) {
    try write { db in
      if let value {
        try db.run("INSERT OR REPLACE INTO state VALUES (?, ?)", name.rawValue, value)
      } else {
        try db.run("DELETE FROM state WHERE name = ?", name.rawValue)
      }
    }
  }

  static func createdAt(_ db: Connection) throws -> Timestamp {
    guard let milliseconds = try state(.createdAt, db).flatMap({ Int64($0) }) else {
      throw SQLiteError.corrupt("it does not say when it was made")
    }
    return Timestamp(milliseconds: milliseconds)
  }

  private static func state(_ name: StateName, _ db: Connection) throws -> String? {
    try db.first("SELECT value FROM state WHERE name = ?", name.rawValue) { row in try row.text(0) }
  }
}
