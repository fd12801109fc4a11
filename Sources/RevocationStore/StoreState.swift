package import DynamicEvents
internal import GRDB

/// What belongs to the store as a whole and changes seldom: a text for each name.
package enum StateName: String, Hashable, Sendable {
  /// When the store was made, in milliseconds since 1970: nothing from before is known.
  case createdAt = "created-at"
  /// How far events have been fetched from Dynamic's API.
  case catchUp = "catch-up"
  /// The environment's public keys, as they were fetched last.
  case keySet = "jwks"
  /// Starts that found that the one before had not ended by itself.
  case uncleanStarts = "unclean-starts"
}

extension RevocationStore {
  package func state(_ name: StateName) throws(StoreError) -> String? {
    try read { db in try String.fetchOne(db, sql: "SELECT value FROM state WHERE name = ?", arguments: [name.rawValue])
    }
  }

  /// - Parameter value: nil removes the name.
  package func setState(_ name: StateName, to value: String?) throws(StoreError) {
    try write { db in
      if let value {
        try db.execute(sql: "INSERT OR REPLACE INTO state VALUES (?, ?)", arguments: [name.rawValue, value])
      } else {
        try db.execute(sql: "DELETE FROM state WHERE name = ?", arguments: [name.rawValue])
      }
    }
  }

  /// When the store was made: nothing from before is known. A backup keeps it.
  package func createdAt() throws(StoreError) -> Timestamp {
    guard let milliseconds = try state(.createdAt).flatMap({ Int64($0) }) else {
      throw .corrupt(path: path, cause: "it does not say when it was made")
    }
    return Timestamp(milliseconds: milliseconds)
  }
}
