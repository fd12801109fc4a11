internal import DynamicEvents
internal import SQLite

/// How long a revoked session is remembered: `retention` after its creation, because by then its JWTs
/// have expired; plus an hour, because clocks differ.
package struct Retention: Sendable {
  /// A session lives at most 30 days from its first sign-in.
  package static let ofDynamic = Duration.seconds(30 * 86_400)

  static let day: Int64 = 86_400_000
  private static let skew: Int64 = 3_600_000
  /// Dynamic delivers a message again for 90 days.
  private static let longestRedelivery = 90 * day + skew

  /// In milliseconds, the skew included.
  let period: Int64
  /// A longer one that was in force until lately, and until when it counts: see `begin`.
  var former: (period: Int64, until: Timestamp)?

  init(_ retention: Duration) {
    // A hundred years, so that no sum overflows.
    period = min(max(retention.components.seconds, 0), 36_525 * 86_400) * 1000 + Self.skew
  }

  /// The time from which on the retention of a session counts.
  ///
  /// It is moved ahead where the session would otherwise be forgotten within a day of the delivery: a redelivery up to
  /// 90 days later is answered 200, and from then on the session has to be refused. The day is the next whole one, so
  /// that a delivery that comes again and again changes the row once a day, not each time.
  ///
  /// What cannot be true is taken as missing: a revocation from longer ago than Dynamic keeps a message, a session made
  /// so long before its revocation that it had ended. None is remembered from later than its arrival, since one from
  /// the year 9999 would never be forgotten.
  func rememberFrom(_ revoked: SessionRevoked, revokedAt: Timestamp, receivedAt: Timestamp) -> Timestamp {
    let isOld = revokedAt.milliseconds < receivedAt.milliseconds - Self.longestRedelivery
    let revocation = isOld ? receivedAt : min(revokedAt, receivedAt)
    let creation = revoked.createdAt.flatMap { $0.milliseconds < revocation.milliseconds - period ? nil : $0 }
    let base = min(creation ?? revocation, receivedAt)
    let nextDay = (receivedAt.milliseconds / Self.day + 1) * Self.day
    return max(base, Timestamp(milliseconds: nextDay + Self.day - period))
  }

  func expiresAt(rememberedFrom time: Timestamp, at now: Timestamp) -> Timestamp {
    Timestamp(milliseconds: time.milliseconds + period(at: now))
  }

  /// What is remembered from before this time is forgotten now.
  func horizon(at now: Timestamp) -> Timestamp {
    Timestamp(milliseconds: now.milliseconds - period(at: now))
  }

  private func period(at now: Timestamp) -> Int64 {
    if let former, now < former.until { max(former.period, period) } else { period }
  }
}

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
