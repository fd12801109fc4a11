/// When a lane may begin its next attempt. Pure.
///
/// A handler whose every attempt fails is down, and trying it as fast as it fails brings nobody anything: each try costs threads, a row and a share
/// of a sync, which its neighbours pay too. So it is probed, often enough to be noticed at once when it is back; what it has not been given
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
