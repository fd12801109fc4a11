internal import DynamicEvents
internal import Foundation
internal import HTTPMessage
internal import Synchronization

/// The last hour's figures, a row a minute: for the page, and for who has no Prometheus. A minute costs one reading of
/// the metrics, and an hour some 60 KiB.
final class History: Sendable {
  /// Rows that are whole; the one of the current minute comes in addition.
  static let minutes = 60

  private let metrics: Metrics
  private let now: @Sendable () -> Timestamp
  /// Growing in time: where a minute ends, the next one begins.
  private let readings: Mutex<[Reading]>
  private let queue = DispatchQueue(label: "revoked.history")

  init(_ metrics: Metrics, now: @escaping @Sendable () -> Timestamp) {
    self.metrics = metrics
    self.now = now
    readings = Mutex([Reading(metrics, at: now())])
    waitForMinute()
  }

  private func waitForMinute() {
    queue.asyncAfter(deadline: .now() + 60) { [weak self] in
      guard let self else { return }
      endMinute()
      waitForMinute()
    }
  }

  func endMinute() {
    let reading = Reading(metrics, at: now())
    readings.withLock { readings in
      if readings.count > Self.minutes { readings.removeFirst() }
      readings.append(reading)
    }
  }

  /// The answer of `GET /v1/history`. Made away from the loops: an hour takes some milliseconds to write.
  func render(_ answer: @escaping @Sendable (Response) -> Void) {
    queue.async { [self] in
      guard let body = try? JSONEncoder.ofAnswers.encode(report()) else { return answer(Answers.unfit) }
      answer(Response(.ok, body: Array(body)))
    }
  }

  func report() -> HistoryReport {
    let readings = self.readings.withLock { $0 } + [Reading(metrics, at: now())]
    return HistoryReport(minutes: zip(readings, readings.dropFirst()).map { HistoryReport.Minute(from: $0, to: $1) })
  }
}

extension History {
  /// What was counted since the start, as of one moment.
  struct Reading: Sendable {
    let at: Timestamp
    /// In the order of the labels' cases, the refused ones last.
    let deliveries: [Int]
    let lookUps: [Int]
    let commits: Histogram.Snapshot
    let latency: Histogram.Snapshot
    let lookUpSeconds: Histogram.Snapshot

    init(_ metrics: Metrics, at time: Timestamp) {
      at = time
      let events = EventLabel.allCases
      let outcomes = OutcomeLabel.allCases.map { outcome in
        events.reduce(0) { $0 + metrics.webhookCount($1, outcome) }
      }
      deliveries = outcomes + [metrics.signatureFailures.load(ordering: .relaxed)]
      lookUps = LookUpLabel.allCases.map { metrics.lookUps[$0] }
      commits = metrics.commitSeconds.snapshot
      latency = metrics.revocationLatencySeconds.snapshot
      lookUpSeconds = metrics.lookUpSeconds.snapshot
    }
  }
}

/// What `GET /v1/history` returns, as JSON with these names.
struct HistoryReport: Encodable, Equatable {
  struct Minute: Encodable, Equatable {
    /// When it began, RFC 3339.
    let from: String
    /// How long it was; the last one is not over yet.
    let seconds: Double
    /// By outcome, as in `revoked_webhooks_total`; `refused`: answered 401. Outcomes that did not occur are left out.
    let deliveries: [String: Int]
    /// By result, as in `revoked_lookups_total`. Results that did not occur are left out.
    let lookUps: [String: Int]
    /// Absent, as the next two, when there was none.
    let commitSeconds: Durations?
    let revocationLatencySeconds: Durations?
    let lookUpSeconds: Durations?
  }

  struct Durations: Encodable, Equatable {
    let count: Int
    let mean: Double
    /// 99 of 100 took at most this: a bound of the metric's histogram. Absent when they are beyond the last one.
    let p99: Double?
  }

  /// The oldest first.
  let minutes: [Minute]
}

extension HistoryReport.Minute {
  init(from start: History.Reading, to end: History.Reading) {
    from = "\(start.at)"
    // A clock that was set back must not make it negative.
    seconds = max(0, end.at.seconds(since: start.at))
    deliveries = Self.counts(OutcomeLabel.allCases.map(\.rawValue) + ["refused"], start.deliveries, end.deliveries)
    lookUps = Self.counts(LookUpLabel.allCases.map(\.rawValue), start.lookUps, end.lookUps)
    commitSeconds = HistoryReport.Durations(from: start.commits, to: end.commits)
    revocationLatencySeconds = HistoryReport.Durations(from: start.latency, to: end.latency)
    lookUpSeconds = HistoryReport.Durations(from: start.lookUpSeconds, to: end.lookUpSeconds)
  }

  private static func counts(_ names: [String], _ start: [Int], _ end: [Int]) -> [String: Int] {
    let differences = zip(start, end).map { $1 - $0 }
    return Dictionary(uniqueKeysWithValues: zip(names, differences).filter { $0.1 > 0 })
  }
}

extension HistoryReport.Durations {
  /// `nil`: nothing was observed between the two.
  init?(from start: Histogram.Snapshot, to end: Histogram.Snapshot) {
    count = end.count - start.count
    guard count > 0 else { return nil }
    mean = (end.sum - start.sum) / Double(count)
    let most = count - count / 100
    p99 = zip(start.buckets, end.buckets).first { $1.count - $0.count >= most }?.1.bound
  }
}
