import DynamicEvents
import Handlers
import Synchronization

/// A clock that stands until the test moves it, for the time of day and for deadlines alike.
final class ManualClock: Sendable {
  private struct State {
    var uptime = Duration.zero
    /// How far the time of day is from what has passed since the start.
    var setAhead = Duration.zero
    var sleepers: [Int: (until: Duration, continuation: CheckedContinuation<Void, any Error>)] = [:]
    var cancelled: Set<Int> = []
    var next = 0
  }

  private static let start: Int64 = 1_790_000_000_000
  private let state = Mutex(State())

  var uptime: Duration { state.withLock { $0.uptime } }
  var now: Timestamp {
    let passed = state.withLock { $0.uptime + $0.setAhead }
    return Timestamp(milliseconds: Self.start + Int64(passed / .milliseconds(1)))
  }

  var lanes: LaneClock {
    LaneClock(now: { self.now }, uptime: { self.uptime }, sleep: { try await self.sleep(until: $0) })
  }

  var sleepers: Int { state.withLock { $0.sleepers.count } }
  /// When the next sleep ends.
  var earliestSleep: Duration? { state.withLock { $0.sleepers.values.map(\.until).min() } }

  /// Sets the time of day. No time passes.
  func set(ahead: Duration) { state.withLock { $0.setAhead = ahead } }

  func advance(by duration: Duration) {
    let woken = state.withLock { state in
      state.uptime += duration
      let due = state.sleepers.filter { $0.value.until <= state.uptime }
      for id in due.keys { state.sleepers[id] = nil }
      return due.values.map(\.continuation)
    }
    for continuation in woken { continuation.resume() }
  }

  /// Ends the sleeps that have a second left at most: the pauses between a lane's transactions, and no deadline of an
  /// attempt.
  func endShortSleeps() { endSleeps(upTo: .seconds(1)) }

  /// Ends the sleeps that have no more than this left.
  func endSleeps(upTo longest: Duration) {
    let step = state.withLock { state in
      state.sleepers.values.map { $0.until - state.uptime }.filter { $0 <= longest }.max()
    }
    if let step { advance(by: step) }
  }

  private func sleep(until time: Duration) async throws {
    let id = state.withLock { state in
      state.next += 1
      return state.next
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let result: Result<Void, any Error>? = state.withLock { state in
          if state.cancelled.remove(id) != nil { return .failure(CancellationError()) }
          if time <= state.uptime { return .success(()) }
          state.sleepers[id] = (time, continuation)
          return nil
        }
        if let result { continuation.resume(with: result) }
      }
    } onCancel: {
      let sleeper = state.withLock { state in
        let sleeper = state.sleepers.removeValue(forKey: id)
        if sleeper == nil { state.cancelled.insert(id) }
        return sleeper
      }
      sleeper?.continuation.resume(throwing: CancellationError())
    }
  }
}
