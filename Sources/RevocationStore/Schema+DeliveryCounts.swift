internal import GRDB

extension Schema {
  /// How many rows each handler has in `delivery`, so that the metrics need not read them all: a handler that is down for a day has a million.
  /// Kept by triggers, because rows change in five places and a count that one of them forgets stays wrong for good. Ingest pays nothing:
  /// only failures have rows.
  static func countDeliveries(_ db: Database) throws {
    try db.execute(
      sql: """
        ALTER TABLE handler ADD COLUMN retrying INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE handler ADD COLUMN dead INTEGER NOT NULL DEFAULT 0;
        UPDATE handler SET
          retrying = (SELECT count(*) FROM delivery WHERE handler_id = handler.id AND next_at IS NOT NULL),
          dead = (SELECT count(*) FROM delivery WHERE handler_id = handler.id AND next_at IS NULL);
        CREATE TRIGGER delivery_added AFTER INSERT ON delivery BEGIN
          UPDATE handler SET
            retrying = retrying + (NEW.next_at IS NOT NULL), dead = dead + (NEW.next_at IS NULL)
          WHERE id = NEW.handler_id;
        END;
        CREATE TRIGGER delivery_changed AFTER UPDATE OF next_at ON delivery
        WHEN (OLD.next_at IS NULL) <> (NEW.next_at IS NULL) BEGIN
          UPDATE handler SET
            retrying = retrying + (NEW.next_at IS NOT NULL) - (OLD.next_at IS NOT NULL),
            dead = dead + (NEW.next_at IS NULL) - (OLD.next_at IS NULL)
          WHERE id = NEW.handler_id;
        END;
        CREATE TRIGGER delivery_removed AFTER DELETE ON delivery BEGIN
          UPDATE handler SET
            retrying = retrying - (OLD.next_at IS NOT NULL), dead = dead - (OLD.next_at IS NULL)
          WHERE id = OLD.handler_id;
        END;
        """)
  }
}
