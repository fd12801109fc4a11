package import DynamicEvents
internal import SQLite
package import Storage

extension RevocationStore {
  /// Takes note that the server has these handlers and no others. What one that is removed has not delivered stays, and
  /// so does its place, until it is registered again or forgotten.
  package func markRemoved(allBut names: [String], at now: Timestamp) throws(StoreError) {
    try write { db in
      for name in try db.all("SELECT name FROM handler WHERE removed_at IS NULL", make: { try $0.text(0) })
      where !names.contains(name) {
        try Self.markRemoved(name, at: now, db)
      }
    }
  }

  /// The same of one that has stopped.
  package func markRemoved(_ name: String, at now: Timestamp) throws(StoreError) {
    try write { db in try Self.markRemoved(name, at: now, db) }
  }

  private static func markRemoved(_ name: String, at now: Timestamp, _ db: Connection) throws {
    try db.run("UPDATE handler SET removed_at = ? WHERE name = ? AND removed_at IS NULL", now.milliseconds, name)
  }

  package func isRemoved(_ name: String) throws(StoreError) -> Bool {
    try read { db in
      try db.first("SELECT 1 FROM handler WHERE name = ? AND removed_at IS NOT NULL", name) { _ in true } ?? false
    }
  }

  /// Forgets a removed handler: its rows, at most `limit` of them in this transaction, and with the last of them its
  /// place and its name. Returns whether there is more to do. One that a server has, or has again meanwhile, is left
  /// alone.
  package func forgetSome(ofRemoved name: String, limit: Int) throws(StoreError) -> Bool {
    try write { db in
      let id = try db.first("SELECT id FROM handler WHERE name = ? AND removed_at IS NOT NULL", name) { row in
        try row.integer(0)
      }
      guard let id else { return false }
      try db.run(
        """
        DELETE FROM delivery WHERE handler_id = ?1 AND event_seq IN
          (SELECT event_seq FROM delivery WHERE handler_id = ?1 ORDER BY event_seq LIMIT ?2)
        """, id, limit)
      if db.changes == limit { return true }
      try db.run("DELETE FROM handler WHERE id = ?", id)
      return false
    }
  }
}
