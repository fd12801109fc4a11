internal import DynamicEvents

/// How long a revoked session is remembered (PROTOCOL section 5): `retention` after its creation, because by then its JWTs
/// have expired; plus an hour, because clocks differ.
package struct Retention: Sendable {
  /// A session lives at most 30 days from its first sign-in.
  package static let ofDynamic = Duration.seconds(30 * 86_400)

  static let day: Int64 = 86_400_000
  private static let skew: Int64 = 3_600_000

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
  /// It is moved ahead where the session would otherwise be forgotten within a day of the delivery: a redelivery up to 90
  /// days later is answered 200, and from then on the session has to be refused. The day is the next whole one, so that
  /// a delivery that comes again and again changes the row once a day, not each time.
  func rememberFrom(_ revoked: SessionRevoked, revokedAt: Timestamp, receivedAt: Timestamp) -> Timestamp {
    let base = revoked.createdAt ?? revokedAt
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
