internal import Dispatch
internal import Synchronization

/// Observations by size, as Prometheus counts them. A lock, not atomics: sum and buckets must agree, and it is taken
/// once per commit.
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

/// Durations by size, without a lock: for what every look-up observes. A snapshot's sum and its buckets may be a moment
/// apart.
final class DurationHistogram: Sendable {
  /// In nanoseconds, growing; the durations beyond are counted as well.
  private static let bounds: [UInt64] = [
    10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 50_000_000,
    1_000_000_000,
  ]

  private let counts = InlineArray<13, Atomic<Int>> { _ in Atomic(0) }
  private let sum = Atomic<UInt64>(0)

  /// - Parameter begun: of the monotonic clock.
  func observe(since begun: UInt64) { observe(nanoseconds: DispatchTime.now().uptimeNanoseconds &- begun) }

  func observe(nanoseconds: UInt64) {
    // One behind the last for those beyond.
    let index = Self.bounds.firstIndex { nanoseconds <= $0 } ?? 12
    counts[index].wrappingAdd(1, ordering: .relaxed)
    sum.wrappingAdd(nanoseconds, ordering: .relaxed)
  }

  var snapshot: Histogram.Snapshot {
    var total = 0
    var buckets: [(bound: Double, count: Int)] = []
    for (index, bound) in Self.bounds.enumerated() {
      total += counts[index].load(ordering: .relaxed)
      buckets.append((Double(bound) / 1e9, total))
    }
    return Histogram.Snapshot(
      buckets: buckets, sum: Double(sum.load(ordering: .relaxed)) / 1e9,
      count: total + counts[12].load(ordering: .relaxed))
  }
}
