internal import GRDB

extension Schema {
  /// Which random id belongs to the feed's numbers from `first_seq` on. What an older store has given out already gets one too.
  static func createFeedEpochs(_ db: Database) throws {
    try db.execute(
      sql: """
        CREATE TABLE feed_epoch (
          first_seq INTEGER PRIMARY KEY,
          id INTEGER NOT NULL
        ) STRICT;
        INSERT INTO feed_epoch (first_seq, id) VALUES (1, random() & 4294967295);
        """)
  }
}
