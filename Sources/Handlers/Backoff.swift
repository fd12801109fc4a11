internal import RevocationStore

/// The pause before the next attempt: exponential with full jitter, so that a thousand events that failed together do not return together.
struct Backoff: Sendable {
  static let first: Duration = .seconds(1)
  static let longest = RevocationStore.longestPause

  /// `attempt`: how many have failed, from 1. `random`: from 0 to 1.
  static func pause(after attempt: Int, random: Double) -> Duration {
    // 2^12 s is beyond the longest pause already; a larger shift could overflow.
    let ceiling = min(longest, first * (1 << min(max(attempt, 1) - 1, 12)))
    return ceiling * min(max(random, 0), 1)
  }
}
