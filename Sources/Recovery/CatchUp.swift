package import DynamicAPI
package import DynamicEvents
package import Signature
package import Storage

/// Fetches from Dynamic's API what its webhook could not deliver, and stores it like a delivery.
///
/// There are two lists. A message that failed holds the body that was sent and its signature, so it is verified as a
/// delivery is. An event that never became a message, because the webhook was switched off, has no signature: TLS says
/// that Dynamic said it. Nothing that is fetched can take anything back.
///
///     let catchUp = CatchUp(api, store, secrets: secrets, retention: retention)
///     let report = try await catchUp.run(.since(time), from: choice.sources(in: try await api.webhooks()))
///
/// It may be ended at any moment, by SIGKILL as well, and run again: an event is stored once, and how far it has come
/// is written down last.
package struct CatchUp: Sendable {
  /// Stores a batch in one transaction.
  package typealias Append = @Sendable ([IncomingEvent]) async throws(StoreError) -> [AppendOutcome]

  /// What is fetched.
  package enum Scope: Sendable {
    /// What failed since the last complete run, as a server asks every few minutes.
    case check
    /// The same with a longer overlap, for who may have been away: Dynamic tries again for a day.
    case start
    /// What failed since then, but for 90 days at most: no event is known for longer, so that older ones would be
    /// handled again.
    case since(Timestamp)
  }

  private static let skew: Int64 = 3_600_000
  private static let longestRetry: Int64 = 26 * 3_600_000
  private static let longest: Int64 = 90 * 86_400_000

  let api: DynamicAPI
  let store: any Store
  let secrets: [Secret]
  /// In milliseconds, and the skew as well.
  private let period: Int64
  let wants: @Sendable (_ eventName: String) -> Bool
  let now: @Sendable () -> Timestamp
  let append: Append
  let busy: @Sendable () -> Duration

  /// - Parameters:
  ///   - secrets: of the webhook: what its messages may be signed with.
  ///   - retention: how long a revoked session is remembered, so that there is no use in asking for older events.
  ///   - wants: whether an event of another name is to be stored for a handler.
  ///   - append: the way into the store; by default at once.
  ///   - busy: how long the store has worked for deliveries so far: what the run makes room for.
  package init(
    _ api: DynamicAPI, _ store: any Store, secrets: [Secret], retention: Duration,
    wants: @escaping @Sendable (String) -> Bool = { _ in false },
    now: @escaping @Sendable () -> Timestamp, append: Append? = nil,
    busy: @escaping @Sendable () -> Duration = { .zero }
  ) {
    self.api = api
    self.store = store
    self.secrets = secrets
    period = min(max(retention.components.seconds, 0), 36_525 * 86_400) * 1000 + Self.skew
    self.wants = wants
    self.now = now
    self.busy = busy
    if let append {
      self.append = append
    } else {
      self.append = { (batch: [IncomingEvent]) async throws(StoreError) -> [AppendOutcome] in try store.append(batch) }
    }
  }

  /// - Parameters:
  ///   - webhooks: those whose messages are meant for here; with none, events alone are fetched.
  ///   - isWhole: whether these are all. If not, the run does not count as complete.
  ///   - dryRun: nothing is stored; the report says what would be.
  ///   - progress: called after each page.
  package func run(
    _ scope: Scope, from webhooks: [Webhook], isWhole: Bool = true, dryRun: Bool = false,
    progress: @escaping (CatchUpProgress) -> Void = { _ in }
  ) async throws(CatchUpError) -> CatchUpReport {
    let begin = now()
    let state = try stored { () throws(StoreError) in try store.catchUpState(of: api.access.environment) }
    let start = self.start(of: scope, state, at: begin)
    // A new store lacks what was delivered to the one before it as well. So does a backup that was restored,
    // and it does not show that it is one: a server's start looks at everything.
    let includesDelivered: Bool
    switch (scope, state) {
    case (_, .pending), (.start, _): includesDelivered = true
    case (.check, _), (.since, _): includesDelivered = false
    }
    var run = try CatchUpRun(
      self, start: start, includesDelivered: includesDelivered, isUrgent: state == .pending, dryRun: dryRun,
      progress: progress)
    for webhook in webhooks { try await run.fetchMessages(of: webhook.id) }
    try await run.fetchEvents()
    try await run.fetchUnverified()
    if !dryRun, isWhole, start <= needed(state, at: begin) {
      try stored { () throws(StoreError) in
        try store.setCatchUpState(.complete(until: begin), of: api.access.environment)
      }
    }
    return run.report
  }

  private func start(of scope: Scope, _ state: CatchUpState?, at now: Timestamp) -> Timestamp {
    let needed = needed(state, at: now).milliseconds
    let start =
      switch (scope, state) {
      case (.since(let time), _): time.milliseconds
      case (.check, .complete?): needed - Self.skew
      case (.start, .complete?): needed - Self.longestRetry
      case (.check, _), (.start, _): needed
      }
    return Timestamp(milliseconds: max(start, now.milliseconds - Self.longest))
  }

  /// From when on events may be missing.
  private func needed(_ state: CatchUpState?, at now: Timestamp) -> Timestamp {
    let earliest = now.milliseconds - min(period, Self.longest)
    // A time that is yet to come was written by a clock that was ahead, and does not say until when all is there.
    guard case .complete(let until)? = state, until.milliseconds <= now.milliseconds + Self.skew else {
      return Timestamp(milliseconds: earliest)
    }
    return Timestamp(milliseconds: max(until.milliseconds, earliest))
  }

  func stored<Value>(_ body: () throws(StoreError) -> Value) throws(CatchUpError) -> Value {
    do throws(StoreError) { return try body() } catch { throw .store(error) }
  }
}

/// What a run found.
package struct CatchUpReport: Hashable, Sendable {
  /// From when on.
  package var start: Timestamp
  /// Messages that were verified.
  package var messages = 0
  /// Events that came without a message.
  package var events = 0
  /// Those of both that were not known.
  package var stored = 0
  /// Those of both that were.
  package var known = 0
  /// What can neither be verified nor be had as an event, and events that do not say which session was revoked.
  package var unusable = 0

  package init(start: Timestamp) { self.start = start }
}

/// How far a run has come.
package struct CatchUpProgress: Hashable, Sendable {
  /// Pages read.
  package var pages = 0
  package var report: CatchUpReport

  package init(pages: Int = 0, report: CatchUpReport) {
    self.pages = pages
    self.report = report
  }
}

/// Why a run ended before its end. What it has stored stays, and the next one begins where this one did.
package enum CatchUpError: Error, Sendable, CustomStringConvertible {
  case api(APIError)
  case store(StoreError)
  case hashing(OpenSSLFailure)

  package var description: String {
    switch self {
    case .api(let error): error.description
    case .store(let error): error.description
    case .hashing(let error): error.description
    }
  }
}

/// How far a store has fetched what an environment's webhook could not deliver. Kept in the store as one line.
package enum CatchUpState: Hashable, Sendable {
  /// The store is new, and has not yet fetched what happened before it was made: it cannot say who is *not* revoked.
  case pending
  /// Everything until then is stored.
  case complete(until: Timestamp)

  /// `nil` for what was written for another environment, whose events say nothing of this one's.
  init?(_ text: String, environment: String) {
    let words = text.split(separator: " ")
    guard words.first.map(String.init) == environment else { return nil }
    switch (words.count, words.dropFirst().first, words.last.flatMap { Int64($0) }) {
    case (2, "pending", _): self = .pending
    case (3, "complete", let milliseconds?): self = .complete(until: Timestamp(milliseconds: milliseconds))
    default: return nil
    }
  }

  func text(environment: String) -> String {
    switch self {
    case .pending: "\(environment) pending"
    case .complete(let until): "\(environment) complete \(until.milliseconds)"
    }
  }
}

extension Store {
  /// `nil`: nothing was ever fetched for this environment.
  package func catchUpState(of environment: String) throws(StoreError) -> CatchUpState? {
    try state(.catchUp).flatMap { CatchUpState($0, environment: environment) }
  }

  /// Returns once it is on disk.
  package func setCatchUpState(_ state: CatchUpState, of environment: String) throws(StoreError) {
    try setState(.catchUp, to: state.text(environment: environment))
  }
}
