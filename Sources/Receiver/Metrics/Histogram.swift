internal import Synchronization

/// Observations by size, as Prometheus counts them. A lock, not atomics: sum and buckets must agree, and it is taken once per commit.
final class Histogram: Sendable {
  struct Snapshot {
    /// Upper bound and how many were at most that, growing.
    var buckets: [(bound: Double, count: Int)]
    var sum: Double
    var count: Int
  }

  private struct State {
    var counts: [Int]
    var sum = 0.0
    var count = 0
  }

  private let bounds: [Double]
  private let state: Mutex<State>

  init(_ bounds: [Double]) {
    self.bounds = bounds
    state = Mutex(State(counts: Array(repeating: 0, count: bounds.count)))
  }

  func observe(_ value: Double) {
    state.withLock { state in
      if let index = bounds.firstIndex(where: { value <= $0 }) { state.counts[index] += 1 }
      state.sum += value
      state.count += 1
    }
  }

  var snapshot: Snapshot {
    state.withLock { state in
      var total = 0
      let buckets = zip(bounds, state.counts).map { bound, count in
        total += count
        return (bound, total)
      }
      return Snapshot(buckets: buckets, sum: state.sum, count: state.count)
    }
  }
}
