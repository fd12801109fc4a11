internal import Dispatch
internal import DynamicEvents
internal import Storage
internal import Synchronization

/// What the receiver counts. The names are those of the metrics page, which reads it.
final class Metrics: Sendable {
  let commitSeconds = Histogram([0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5])
  let commitBatchSize = Histogram([1, 2, 4, 8, 16, 32, 64, 128, 256, 512])
  /// Dynamic's own delay is in it, and a redelivery is days old.
  let revocationLatencySeconds = Histogram([0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600, 86_400])
  let signatureFailures = Atomic(0)
  /// Events whose `timestamp` cannot be true. They are no part of the latency: one from the year 1 would be most of its
  /// sum.
  let implausibleTimestamps = Atomic(0)
  let lookUpSeconds = DurationHistogram()
  let lookUps = LabelledCounts<LookUpLabel>()
  let forwardAuthRefusals = LabelledCounts<RefusalReason>()
  /// One for each event, in the order of `events`.
  private let webhooks = Metrics.events.map { _ in LabelledCounts<OutcomeLabel>() }

  // `allCases` makes an array each time.
  private static let events = EventLabel.allCases

  func count(_ event: EventLabel, _ outcome: OutcomeLabel) {
    webhookCounts(of: event)?.add(to: outcome)
  }

  func signatureFailed() {
    signatureFailures.wrappingAdd(1, ordering: .relaxed)
  }

  func observe(_ commit: Commit) {
    commitSeconds.observe(commit.duration / .seconds(1))
    commitBatchSize.observe(Double(commit.events))
  }

  /// A sender's clock ahead of ours makes it negative: none is better than that.
  func observeLatency(from occurred: Timestamp, to committed: Timestamp) {
    // Both lie within the years 0 to 9999, so the difference does not overflow.
    let latency = committed.milliseconds - occurred.milliseconds
    guard Self.plausible.contains(latency) else {
      implausibleTimestamps.wrappingAdd(1, ordering: .relaxed)
      return
    }
    revocationLatencySeconds.observe(Double(max(0, latency)) / 1000)
  }

  /// In milliseconds: an hour of skew, and Dynamic delivers again for 90 days.
  private static let plausible: ClosedRange<Int64> = -3_600_000...91 * 86_400_000

  func webhookCount(_ event: EventLabel, _ outcome: OutcomeLabel) -> Int {
    webhookCounts(of: event)?[outcome] ?? 0
  }

  private func webhookCounts(of event: EventLabel) -> LabelledCounts<OutcomeLabel>? {
    Self.events.firstIndex(of: event).map { webhooks[$0] }
  }
}

/// The values of a metric's label: a closed set, since a label taken from a request would let its sender grow our
/// memory.
protocol MetricLabel: CaseIterable, Equatable, RawRepresentable<String>, Sendable {}

/// The `event` label of `revoked_webhooks_total`.
enum EventLabel: String, MetricLabel {
  case sessionRevoked = "user.session.revoked"
  case adminSessionRevoked = "admin.user.session.revoked"
  case ping
  /// Any other event.
  case other
  /// Undecodable.
  case unknown
}

/// The `outcome` label of `revoked_webhooks_total`: the answer's status, or `unavailable` for a 503.
enum OutcomeLabel: String, MetricLabel {
  case accepted, duplicate, pong, ignored, undecodable, unavailable
  /// A ping whose signature is missing or wrong.
  case unverified
}

/// The `result` label of `revoked_lookups_total`.
enum LookUpLabel: String, MetricLabel {
  case revoked
  case notRevoked = "not_revoked"
  /// A forward-auth request without a session that can be read; answered 401.
  case noSession = "no_session"
  /// The store could not be read; answered 503.
  case failed
}

/// A counter for each value of a label. Made from the label's own cases, so that none can lack its counter.
struct LabelledCounts<Label: MetricLabel>: Sendable {
  private final class Count: Sendable {
    let value = Atomic(0)
  }

  // `allCases` makes an array each time.
  private let labels = Array(Label.allCases)
  private let counts = Label.allCases.map { _ in Count() }

  func add(_ number: Int = 1, to label: Label) {
    guard let index = labels.firstIndex(of: label) else { return }
    counts[index].value.wrappingAdd(number, ordering: .relaxed)
  }

  subscript(label: Label) -> Int {
    labels.firstIndex(of: label).map { counts[$0].value.load(ordering: .relaxed) } ?? 0
  }
}

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
