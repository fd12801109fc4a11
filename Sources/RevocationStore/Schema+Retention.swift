internal import GRDB

extension Schema {
  /// The retention that the server had last, skew included, in milliseconds; and a longer one that it had before, which counts until `former_until`.
  /// No row until the next start: what was in force before is not known.
  static func keepRetention(_ db: Database) throws {
    try db.execute(
      sql: """
        CREATE TABLE retention (
          id INTEGER PRIMARY KEY CHECK (id = 1),
          period INTEGER NOT NULL,
          former INTEGER NOT NULL,
          former_until INTEGER NOT NULL
        ) STRICT;
        """)
  }
}
