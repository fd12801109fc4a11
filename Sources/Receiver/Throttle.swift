internal import Synchronization

/// Lets one log line a second through and counts the others: a flood of failures must not become a flood of lines.
final class Throttle: Sendable {
  private struct State {
    var unreported = 0
    var nextLine = ContinuousClock.now
  }

  private let state = Mutex(State())

  /// Counts, and returns how many the line that is due now stands for; nil when none is due.
  func count(_ number: Int = 1) -> Int? {
    state.withLock { state in
      state.unreported += number
      let now = ContinuousClock.now
      guard now >= state.nextLine else { return nil }
      defer { state.unreported = 0 }
      state.nextLine = now + .seconds(1)
      return state.unreported
    }
  }
}
