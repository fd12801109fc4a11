internal import DynamicAPI
internal import DynamicEvents
internal import Logging
internal import Recovery
internal import Signature
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

  /// The store is new, and lacks what happened before it was made: no look-up says that a session is not revoked. One
  /// load.
  var isPending: Bool { isClosed.load(ordering: .acquiring) }

  /// Why none says so, in words of our own; `nil`: the store knows.
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

/// Why a check of Dynamic was not complete.
enum DynamicTrouble: Error {
  case api(APIError, lacking: [String] = [])
  case wrongEnvironment(String)
  case store(StoreError)
  case other(String)

  init(_ error: CatchUpError) {
    switch error {
    case .api(let error): self = .api(error)
    case .store(let error): self = .store(error)
    case .hashing(let error): self = .other(error.description)
    }
  }

  var isCancelled: Bool { if case .api(.cancelled, _) = self { true } else { false } }

  /// Not of our own store.
  var isOfDynamic: Bool {
    switch self {
    case .api, .wrongEnvironment: true
    case .store, .other: false
    }
  }

  /// The API answered, and will not do it: something else may still work.
  var isRejection: Bool { if case .api(.rejected, _) = self { true } else { false } }

  /// How long the API asks to be left alone.
  var pause: Duration? { if case .api(.unavailable(_, let pause), _) = self { pause } else { nil } }

  /// What is said once, however its details vary.
  var kind: String {
    switch self {
    case .api(.unreachable, _): "unreachable"
    case .api(.unavailable(429, _), _): "limited"
    case .api(.unavailable, _): "unavailable"
    case .api(.rejected(let status, _), let lacking): "rejected \(status) \(lacking.joined(separator: " "))"
    case .api(.unreadable, _): "unreadable"
    case .api(.cancelled, _): "cancelled"
    case .wrongEnvironment(let id): "environment \(id)"
    case .store: "store"
    case .other(let text): text
    }
  }

  var description: String {
    switch self {
    case .api(let error, let lacking):
      "\(error)" + (lacking.isEmpty ? "" : "; the token lacks \(lacking.joined(separator: " and "))")
    case .wrongEnvironment(let id): "the API token is of environment \(id), not of dynamic.environment-id"
    case .store(let error): error.description
    case .other(let text): text
    }
  }
}

/// Says what is wrong once, when it begins, and once that it is over.
struct DynamicTroubleLog {
  private let logger: Logger
  /// Since it worked last. Bounded by the kinds that there are.
  private var said: Set<String> = []

  init(_ logger: Logger) {
    self.logger = logger
  }

  func isKnown(_ trouble: DynamicTrouble) -> Bool { said.contains(trouble.kind) }

  mutating func failed(_ trouble: DynamicTrouble, isPending: Bool) {
    guard said.count < 100, said.insert(trouble.kind).inserted else { return }
    let rest =
      isPending
      ? "look-ups are answered 503 until a new store has caught up" : "deliveries and look-ups go on"
    logger.error(
      "looking after the webhook at Dynamic failed, and is tried again; \(rest)",
      metadata: ["error": "\(trouble.description)"])
  }

  mutating func worked() {
    if !said.isEmpty { logger.notice("looking after the webhook at Dynamic works again") }
    said = []
  }
}
