internal import DynamicAPI
internal import DynamicEvents
internal import Recovery
internal import Storage
internal import Synchronization

/// What is known of Dynamic's API and of our webhook there: for the metrics, the status, and for who may be answered.
final class DynamicHealth: Sendable {
  /// Our webhook, as it was found last.
  struct WebhookState: Sendable {
    let checkedAt: Timestamp
    /// `nil`: there is none.
    let webhook: Webhook?
    let problem: WebhookProblem?
  }

  /// Events that were fetched and not known, by their source.
  let recovered = LabelledCounts<RecoveredLabel>()
  /// Calls that failed for good, after several tries.
  let errors = Atomic(0)
  /// Why the last check was not complete.
  private let troubleText = Mutex<String?>(nil)
  /// Of the last complete check.
  private let unusable = Atomic(0)
  private let webhookState = Mutex<WebhookState?>(nil)
  /// Milliseconds since 1970 of the last check that was complete; 0: none yet.
  private let checkedMilliseconds = Atomic<Int64>(0)
  private let isClosed = Atomic(false)
  private let progress = Mutex("")

  var webhook: WebhookState? {
    get { webhookState.withLock { $0 } }
    set { webhookState.withLock { $0 = newValue } }
  }

  var checkedAt: Timestamp? {
    let milliseconds = checkedMilliseconds.load(ordering: .relaxed)
    return milliseconds == 0 ? nil : Timestamp(milliseconds: milliseconds)
  }

  func checkFailed(_ why: String) { troubleText.withLock { $0 = why } }

  func checked(at time: Timestamp, unusable count: Int) {
    troubleText.withLock { $0 = nil }
    unusable.store(count, ordering: .relaxed)
    checkedMilliseconds.store(time.milliseconds, ordering: .relaxed)
  }

  var status: ServiceStatus.Webhook {
    let found = webhook
    let isEnabled = found?.webhook?.isEnabled
    return ServiceStatus.Webhook(
      checkedAt: found.map { "\($0.checkedAt)" }, enabled: isEnabled,
      since: isEnabled == true ? found?.webhook?.enabledAt : found?.webhook?.updatedAt,
      failedMessages: checkedAt == nil ? nil : unusable.load(ordering: .relaxed),
      problem: troubleText.withLock { $0 } ?? found?.problem?.description)
  }

  /// The store is new, and lacks what happened before it was made: nobody is told that a session is not revoked. One
  /// load.
  var isPending: Bool { isClosed.load(ordering: .acquiring) }

  /// Why nobody is told so, in words of our own; `nil`: the store knows.
  var complaint: String? {
    guard isPending else { return nil }
    return "the store is new and is catching up with Dynamic: \(progress.withLock { $0 })"
  }

  func close() {
    note(CatchUpProgress(report: CatchUpReport(start: Timestamp(milliseconds: 0))))
    isClosed.store(true, ordering: .releasing)
  }

  func open() { isClosed.store(false, ordering: .releasing) }

  func note(_ now: CatchUpProgress) {
    progress.withLock { $0 = "\(now.pages) pages read, \(now.report.stored) events stored" }
  }
}

/// The `source` label of `revoked_recovered_events_total`.
enum RecoveredLabel: String, MetricLabel {
  case message, event
}
