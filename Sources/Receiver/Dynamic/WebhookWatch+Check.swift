internal import DynamicAPI
internal import DynamicEvents
internal import Logging
internal import Recovery
internal import Storage
internal import Synchronization

/// One check: the webhook is looked at, and what it could not deliver is fetched.
extension WebhookWatch {
  /// So long another node waits for this one's next word, be it that a page was fetched.
  private static let turn = Duration.seconds(120)

  func check(
    _ scope: CatchUp.Scope, _ log: inout DynamicTroubleLog, _ webhookLog: inout WebhookLog
  ) async throws(DynamicTrouble) {
    let (token, isNew) = state.withLock { state in
      // Before the call below: another token may come while it is made.
      defer { state.isTokenNew = false }
      return (state.token, state.isTokenNew)
    }
    var access = DynamicAPI.Access(token: token, environment: configuration.environmentID)
    access.url = configuration.apiURL
    access.authorities = configuration.authorities
    let api = DynamicAPI(access)
    if isNew {
      do throws(DynamicTrouble) {
        try await checkEnvironment(api)
      } catch {
        state.withLock { $0.isTokenNew = true }
        throw error
      }
    }
    var rejection: DynamicTrouble?
    var webhooks: [Webhook] = []
    do throws(DynamicTrouble) {
      webhooks = try await called { () async throws(APIError) in try await api.webhooks() }
      webhookLog.note(look(at: webhooks))
      webhooks = try await reEnable(webhooks, api, &webhookLog)
    } catch {
      guard error.isRejection else { throw error }
      rejection = error
    }
    // Events can be had all the same.
    var unusable = 0
    do throws(DynamicTrouble) {
      unusable = try await catchUp(scope, api, from: choice.sources(in: webhooks), isWhole: rejection == nil)
    } catch {
      rejection = rejection ?? error
    }
    if let rejection { throw log.isKnown(rejection) ? rejection : await explained(rejection, api) }
    health.checked(at: context.now(), unusable: unusable)
  }

  /// A token of another environment may see nothing there, and no error either. Where the API does not have the call,
  /// the others tell.
  private func checkEnvironment(_ api: DynamicAPI) async throws(DynamicTrouble) {
    let found: String?
    do throws(APIError) {
      found = try await api.tokenScopes()?.environment
    } catch {
      // It would be asked in vain for the rest as well.
      if case .unreachable = error { throw .api(error) }
      found = nil
    }
    guard let id = found else { return }
    // A peer's text, on its way to a log.
    let isID = UUIDBytes(uuid: Array(id.utf8).span) != nil
    guard id.lowercased() != configuration.environmentID else { return }
    throw .wrongEnvironment(isID ? id.lowercased() : "(unreadable)")
  }

  /// With the scopes that a token lacks, if the API tells.
  private func explained(_ trouble: DynamicTrouble, _ api: DynamicAPI) async -> DynamicTrouble {
    guard case .api(.rejected(let status, let reason), _) = trouble, status == 401 || status == 403,
      let known = try? await api.tokenScopes(), !known.scopes.isEmpty
    else { return trouble }
    var needed = ["environment.webhooks.read", "environment.events.read"]
    if configuration.reEnables { needed.append("environment.webhooks.write") }
    return .api(
      .rejected(status: status, reason: reason), lacking: needed.filter { !known.scopes.contains($0) })
  }

  private func look(at webhooks: [Webhook]) -> WebhookProblem? {
    let problem = choice.problem(in: webhooks)
    health.webhook = DynamicHealth.WebhookState(
      checkedAt: context.now(), webhook: choice.webhook(in: webhooks), problem: problem)
    return problem
  }

  /// Returns the webhooks as they are then.
  private func reEnable(
    _ webhooks: [Webhook], _ api: DynamicAPI, _ webhookLog: inout WebhookLog
  ) async throws(DynamicTrouble) -> [Webhook] {
    guard configuration.reEnables, choice.problem(in: webhooks) == .disabled,
      let found = choice.webhook(in: webhooks)
    else { return webhooks }
    return try await called { () async throws(APIError) in
      // As it is now: what is sent replaces all of it.
      let webhook = try await api.webhook(found.id)
      guard webhook.isEnabled == false, !webhook.url.isEmpty, !webhook.events.isEmpty else { return webhooks }
      let changed = try await api.updateWebhook(
        webhook.id, url: webhook.url, isEnabled: true, events: webhook.events)
      let all = webhooks.map { $0.id == changed.id ? changed : $0 }
      webhookLog.note(look(at: all))
      return all
    }
  }

  /// Returns how much of what was fetched cannot be used.
  private func catchUp(
    _ scope: CatchUp.Scope, _ api: DynamicAPI, from webhooks: [Webhook], isWhole: Bool
  ) async throws(DynamicTrouble) -> Int {
    let catchUp = CatchUp(
      api, context.store, secrets: context.currentSecrets, retention: context.retention,
      wants: { [context] in context.isWanted($0) }, now: context.now,
      append: { [self] (batch: [IncomingEvent]) async throws(StoreError) -> [AppendOutcome] in
        try await append(batch)
      }, busy: { [inbox = context.inbox] in inbox.busy })
    var report: CatchUpReport?
    // What another node fetches is everybody's.
    if try stored({ () throws(StoreError) in try context.store.take(.catchUp, for: Self.turn) }) {
      defer { try? context.store.leave(.catchUp) }
      do throws(CatchUpError) {
        report = try await catchUp.run(scope, from: webhooks, isWhole: isWhole) { [health, store = context.store] in
          health.note($0)
          _ = try? store.take(.catchUp, for: Self.turn)
        }
      } catch {
        throw DynamicTrouble(error)
      }
    }
    if let report { tell(of: report) }
    let unusable = report?.unusable ?? 0
    guard health.isPending else { return unusable }
    // The store's own word, so that a restart says the same.
    let state = try stored { () throws(StoreError) in
      try context.store.catchUpState(of: configuration.environmentID)
    }
    guard case .complete? = state else { return unusable }
    health.open()
    var metadata: Logger.Metadata = [:]
    if let report { metadata = ["events": .stringConvertible(report.stored), "since": "\(report.start)"] }
    context.logger.notice(
      "the new store has caught up with Dynamic: look-ups are answered from now on", metadata: metadata)
    return unusable
  }

  private func stored<Value>(_ body: () throws(StoreError) -> Value) throws(DynamicTrouble) -> Value {
    do throws(StoreError) { return try body() } catch { throw .store(error) }
  }

  private func tell(of report: CatchUpReport) {
    let counts: Logger.Metadata = [
      "messages": .stringConvertible(report.messages), "events": .stringConvertible(report.events),
      "stored": .stringConvertible(report.stored), "known": .stringConvertible(report.known),
    ]
    if report.stored > 0 {
      context.logger.notice("fetched from Dynamic what its webhook did not deliver", metadata: counts)
    }
    if report.unusable > 0 {
      context.logger.warning(
        "some of what Dynamic could not deliver cannot be used: it is signed with another secret, or names no session",
        metadata: ["count": .stringConvertible(report.unusable)])
    }
  }

  /// By the same queue as deliveries, so that they share commits and none waits for more than one piece.
  private func append(_ batch: [IncomingEvent]) async throws(StoreError) -> [AppendOutcome] {
    // A full queue is a second of work; one that stays full for a minute is another's trouble.
    for _ in 0..<600 {
      let result: Result<[AppendOutcome], StoreError>? = await withCheckedContinuation { continuation in
        let isTaken = context.inbox.submit(batch) { continuation.resume(returning: $0) }
        if !isTaken { continuation.resume(returning: nil) }
      }
      switch result {
      case .success(let outcomes)?:
        context.commits.worked()
        for (event, outcome) in zip(batch, outcomes) where outcome != .duplicate {
          health.recovered.add(to: event.source == .message ? .message : .event)
          context.logger.log(event, outcome)
        }
        return outcomes
      case .failure(let error)?:
        context.probe.failed()
        throw error
      case nil:
        guard (try? await Task.sleep(for: .milliseconds(100))) != nil else { throw .busy(path: context.store.location) }
      }
    }
    throw .busy(path: context.store.location)
  }

  private func called<Value>(
    _ body: () async throws(APIError) -> Value
  ) async throws(DynamicTrouble) -> Value {
    do throws(APIError) { return try await body() } catch { throw .api(error) }
  }
}

/// Says what is wrong with the webhook once, again when it changes, and once that it is mended.
struct WebhookLog {
  private let logger: Logger
  private var last: WebhookProblem?
  private var isFirst = true

  init(_ logger: Logger) {
    self.logger = logger
  }

  mutating func note(_ problem: WebhookProblem?) {
    defer { (last, isFirst) = (problem, false) }
    guard isFirst || problem != last else { return }
    if let problem {
      logger.error("Dynamic does not deliver revocations here", metadata: ["reason": "\(problem)"])
    } else {
      logger.notice("the webhook at Dynamic is enabled, with both events")
    }
  }
}
