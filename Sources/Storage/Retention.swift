package import DynamicEvents

/// How long a revoked session is remembered: `retention` after its creation, because by then its JWTs
/// have expired; plus an hour, because clocks differ.
package struct Retention: Sendable {
  /// A session lives at most 30 days from its first sign-in.
  package static let ofDynamic = Duration.seconds(30 * 86_400)

  package static let day: Int64 = 86_400_000
  private static let skew: Int64 = 3_600_000
  /// Dynamic delivers a message again for 90 days.
  private static let longestRedelivery = 90 * day + skew

  /// In milliseconds, the skew included.
  package let period: Int64
  /// A longer one that was in force until lately, and until when it counts: see `begin`.
  package var former: (period: Int64, until: Timestamp)?

  package init(_ retention: Duration) {
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
  package func rememberFrom(_ revoked: SessionRevoked, revokedAt: Timestamp, receivedAt: Timestamp) -> Timestamp {
    let isOld = revokedAt.milliseconds < receivedAt.milliseconds - Self.longestRedelivery
    let revocation = isOld ? receivedAt : min(revokedAt, receivedAt)
    let creation = revoked.createdAt.flatMap { $0.milliseconds < revocation.milliseconds - period ? nil : $0 }
    let base = min(creation ?? revocation, receivedAt)
    let nextDay = (receivedAt.milliseconds / Self.day + 1) * Self.day
    return max(base, Timestamp(milliseconds: nextDay + Self.day - period))
  }

  package func expiresAt(rememberedFrom time: Timestamp, at now: Timestamp) -> Timestamp {
    Timestamp(milliseconds: time.milliseconds + period(at: now))
  }

  /// What is remembered from before this time is forgotten now.
  package func horizon(at now: Timestamp) -> Timestamp {
    Timestamp(milliseconds: now.milliseconds - period(at: now))
  }

  private func period(at now: Timestamp) -> Int64 {
    if let former, now < former.until { max(former.period, period) } else { period }
  }
}
