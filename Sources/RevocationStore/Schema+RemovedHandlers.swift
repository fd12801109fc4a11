internal import GRDB

extension Schema {
  /// Since when no server has the handler: only such a one may be forgotten, whatever configuration the command sees that is asked to.
  static func markRemovedHandlers(_ db: Database) throws {
    try db.execute(sql: "ALTER TABLE handler ADD COLUMN removed_at INTEGER")
  }
}
