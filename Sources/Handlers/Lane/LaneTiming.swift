package import DynamicEvents
internal import Foundation
internal import Storage

/// The time as lanes see it, so that a test can be the clock.
package struct LaneClock: Sendable {
  /// The time of day, for what is stored.
  package var now: @Sendable () -> Timestamp
  /// Time that no clock change touches, for deadlines. From any beginning.
  package var uptime: @Sendable () -> Duration
  /// Returns when `uptime` has come that far, or throws on cancellation.
  package var sleep: @Sendable (_ until: Duration) async throws -> Void

  package init(
    now: @escaping @Sendable () -> Timestamp, uptime: @escaping @Sendable () -> Duration,
    sleep: @escaping @Sendable (_ until: Duration) async throws -> Void
  ) {
    self.now = now
    self.uptime = uptime
    self.sleep = sleep
  }

  package static var system: LaneClock {
    let start = ContinuousClock.now
    return LaneClock(
      now: { Timestamp(Date()) },
      uptime: { start.duration(to: .now) },
      sleep: { try await Task.sleep(until: start + $0, clock: .continuous) })
  }
}

/// When a lane may begin its next attempt. Pure.
///
/// A handler whose every attempt fails is down. To try it as fast as it fails costs threads, rows and syncs, which its
/// neighbours pay too. So it is probed, often enough to be noticed at once when it is back. What it has not been given
/// waits in the event table, where waiting costs nothing. One success, or one refusal, and it has its full speed again.
struct LanePace {
  /// So many failures in a row are no accident.
  static let failures = 64
  static let pause: Duration = .milliseconds(10)

  private var failuresInARow = 0
  private var next = Duration.zero

  mutating func failed() { failuresInARow = min(failuresInARow + 1, Self.failures) }
  mutating func answered() { failuresInARow = 0 }
  mutating func began(at now: Duration) { next = now + Self.pause }

  /// nil: at once.
  var pausedUntil: Duration? { failuresInARow < Self.failures ? nil : next }
}

/// The pause before the next attempt: exponential with full jitter, so that a thousand events that failed together do
/// not return together.
struct Backoff: Sendable {
  static let first: Duration = .seconds(1)
  static let longest = DuePage.longestPause

  /// `attempt`: how many have failed, from 1. `random`: from 0 to 1.
  static func pause(after attempt: Int, random: Double) -> Duration {
    // 2^12 s is beyond the longest pause already; a larger shift could overflow.
    let ceiling = min(longest, first * (1 << min(max(attempt, 1) - 1, 12)))
    return ceiling * min(max(random, 0), 1)
  }
}
