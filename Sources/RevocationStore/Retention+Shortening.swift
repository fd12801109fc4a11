internal import DynamicEvents
internal import GRDB

extension Retention {
  /// Takes the place of the retention that the store was opened with before. A shorter one counts a day from now: what was answered 200
  /// until now is to be refused for a day, and the rows say so by the retention of their time.
  ///
  /// - Returns: `asked`, and what counts beside it.
  static func begin(_ asked: Retention, _ database: any DatabaseWriter, at now: Timestamp) throws -> Retention {
    do {
      return try database.write { db in
        var retention = asked
        if let last = try Last.fetch(db) { retention.former = last.outlasting(asked, at: now) }
        try db.execute(
          sql: "INSERT OR REPLACE INTO retention (id, period, former, former_until) VALUES (1, ?, ?, ?)",
          arguments: [
            retention.period, retention.former?.period ?? 0, retention.former?.until.milliseconds ?? 0,
          ])
        return retention
      }
    } catch {
      // A full disk must not keep look-ups from being answered. A day that nobody can be told of the next time does not begin to pass.
      var retention = asked
      if let last = try database.read(Last.fetch) {
        retention.former = (max(last.period, last.former), Timestamp(milliseconds: .max))
      }
      return retention
    }
  }

  /// What the last opening left.
  private struct Last {
    let period: Int64
    let former: Int64
    let formerUntil: Timestamp

    static func fetch(_ db: Database) throws -> Last? {
      try Row.fetchOne(db, sql: "SELECT period, former, former_until FROM retention").map { row in
        try Last(
          period: row.decode(atIndex: 0), former: row.decode(atIndex: 1),
          formerUntil: Timestamp(milliseconds: row.decode(atIndex: 2)))
      }
    }

    /// What goes on counting beside the new one.
    func outlasting(_ asked: Retention, at now: Timestamp) -> (period: Int64, until: Timestamp)? {
      let longest = now < formerUntil ? max(period, former) : period
      guard longest > asked.period else { return nil }
      // Restarts alone do not make the day any longer.
      let until = asked.period < period ? Timestamp(milliseconds: now.milliseconds + Retention.day) : formerUntil
      return (longest, until)
    }
  }
}
