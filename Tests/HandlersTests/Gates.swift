import Synchronization

/// Any number may wait, and are let through one by one.
final class Gates: Sendable {
  private struct State {
    var waiting: [CheckedContinuation<Void, Never>] = []
    var permits = 0
    var most = 0
  }

  private let state = Mutex(State())

  var waiting: Int { state.withLock { $0.waiting.count } }
  /// The most that ever waited at the same time.
  var most: Int { state.withLock { $0.most } }

  func wait() async {
    await withCheckedContinuation { continuation in
      let isFree = state.withLock { state in
        if state.permits > 0 {
          state.permits -= 1
          return true
        }
        state.waiting.append(continuation)
        state.most = max(state.most, state.waiting.count)
        return false
      }
      if isFree { continuation.resume() }
    }
  }

  /// Lets one through, now or when it comes.
  func openOne() async {
    let continuation: CheckedContinuation<Void, Never>? = state.withLock { state in
      if state.waiting.isEmpty {
        state.permits += 1
        return nil
      }
      return state.waiting.removeFirst()
    }
    continuation?.resume()
    await Task.yield()
  }
}
