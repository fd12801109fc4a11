internal import Logging
internal import Recovery
internal import Signature
internal import Storage
internal import Synchronization

/// Looks after our webhook at Dynamic, at the start and every few minutes, and fetches what it could not deliver.
///
/// Deliveries and look-ups go on untouched, whatever Dynamic's API does, but for a store that is new: it knows of
/// no session that was revoked before it was made, so look-ups wait until all of the retention has been fetched once.
final class WebhookWatch: Sendable {
  struct State {
    var token: Secret
    /// Whether the token's environment is to be asked for.
    var isTokenNew = true
    var task: Task<Void, Never>?
    var nap: Task<Void, Never>?
    /// There is to be no nap, or no more of it.
    var isWoken = false
  }

  /// After a failure: a second, two, four, up to this. The API limits how often it is called, by a number that is not
  /// documented.
  private static let longestPause = Duration.seconds(60)
  /// What the API asks for is honoured up to this.
  private static let longestAsked = Duration.seconds(3600)

  let configuration: DynamicConfiguration
  let choice: WebhookChoice
  let context: ResponderContext
  let health: DynamicHealth
  let state: Mutex<State>

  /// Whether look-ups have to wait is known from now on.
  init(_ configuration: DynamicConfiguration, path: String, _ context: ResponderContext, _ health: DynamicHealth)
    throws(StoreError)
  {
    self.configuration = configuration
    choice = WebhookChoice(id: configuration.webhookID, publicURL: configuration.publicURL, path: path)
    self.context = context
    self.health = health
    state = Mutex(State(token: configuration.token))
    let known = try context.store.catchUpState(of: configuration.environmentID)
    let isEmpty = try context.store.tally().revocations == 0
    guard known == .pending || (known == nil && isEmpty) else { return }
    health.close()
    context.logger.notice(
      "the store is new: look-ups are answered 503 until everything that Dynamic knows of has been fetched")
    guard known == nil else { return }
    do throws(StoreError) {
      try context.store.setCatchUpState(.pending, of: configuration.environmentID)
    } catch {
      // While nothing can be written, nothing can make the store look like an old one either.
      context.logger.error("the store cannot be marked as new", metadata: ["error": "\(error)"])
    }
  }

  func start() {
    let task = Task { await run() }
    state.withLock { $0.task = task }
  }

  func stop() {
    state.withLock { state in
      state.task?.cancel()
      state.wake()
    }
  }

  /// The next check has this token, and comes at once if it is another one.
  func replaceToken(_ token: Secret) {
    state.withLock { state in
      guard !token.withBytes({ state.token.matches($0) }) else { return }
      state.token = token
      state.isTokenNew = true
      state.wake()
    }
  }

  private func run() async {
    var log = DynamicTroubleLog(context.logger)
    var webhookLog = WebhookLog(context.logger)
    var scope = CatchUp.Scope.start
    var failures = 0
    while !Task.isCancelled {
      let pause: Duration
      do throws(DynamicTrouble) {
        try await check(scope, &log, &webhookLog)
        (scope, failures) = (.check, 0)
        log.worked()
        pause = configuration.checkEvery
      } catch {
        if Task.isCancelled || error.isCancelled { return }
        failures += 1
        if error.isOfDynamic { health.errors.wrappingAdd(1, ordering: .relaxed) }
        log.failed(error, isPending: health.isPending)
        health.checkFailed(error.description)
        pause = self.pause(after: failures, error)
      }
      await nap(for: pause)
    }
  }

  private func pause(after failures: Int, _ trouble: DynamicTrouble) -> Duration {
    let backoff = min(Self.longestPause, configuration.checkEvery, .seconds(1 << min(failures - 1, 6)))
    // Many receivers that lost the same API must not come back together.
    let jittered = backoff * Double.random(in: 0.5...1)
    return max(jittered, min(trouble.pause ?? .zero, Self.longestAsked))
  }

  private func nap(for time: Duration) async {
    let nap = Task { _ = try? await Task.sleep(for: time) }
    let isWoken = state.withLock { state in
      state.nap = nap
      return state.isWoken
    }
    if isWoken { nap.cancel() }
    await nap.value
    state.withLock { ($0.nap, $0.isWoken) = (nil, false) }
  }
}

extension WebhookWatch.State {
  fileprivate mutating func wake() {
    isWoken = true
    nap?.cancel()
  }
}
