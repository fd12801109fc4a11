package import DynamicEvents
internal import Foundation

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
