internal import DynamicEvents
internal import SQLite
internal import Storage

extension Retention {
  /// Takes the place of the retention that the store was opened with before. A shorter one counts a day from now: what
  /// was answered 200 until now is to be refused for a day, and the rows say so by the retention of their time.
  ///
  /// - Returns: `asked`, and what counts beside it.
  static func begin(_ asked: Retention, _ connections: StoreConnections, at now: Timestamp) throws -> Retention {
    do {
      return try connections.withWriter { db in
        try db.write {
          var retention = asked
          if let last = try Last.fetch(db) { retention.former = last.outlasting(asked, at: now) }
          try db.run(
            "INSERT OR REPLACE INTO retention (id, period, former, former_until) VALUES (1, ?, ?, ?)",
            retention.period, retention.former?.period ?? 0, retention.former?.until.milliseconds ?? 0)
          return retention
        }
      }
    } catch {
      // A full disk must not keep look-ups from being answered. A day that cannot be written down for
      // the next start does not begin to pass.
      var retention = asked
      if let last = try connections.read(Last.fetch) {
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

    static func fetch(_ db: Connection) throws -> Last? {
      try db.first("SELECT period, former, former_until FROM retention") { row in
        try Last(
          period: row.integer(0), former: row.integer(1), formerUntil: Timestamp(milliseconds: row.integer(2)))
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
