internal import AccessTokens
internal import Dispatch
internal import DynamicEvents
internal import Foundation
public import HTTPServer
public import Handlers
public import Logging
public import Signature
internal import Storage
internal import Synchronization

/// A receiver of Dynamic's session revocations: a public listener that takes signed deliveries, a store that makes them
/// durable before they are answered, a private listener that answers who is revoked, and handlers that get every event.
///
///     let receiver = try Receiver(
///       ReceiverConfiguration(secrets: [Secret(text)]), handlers: [HandlerRegistration("cache", handler: Purge())])
///     try await receiver.run()
///
/// It is a `Service` of swift-service-lifecycle by `extension Receiver: @retroactive Service {}`.
public final class Receiver: Sendable {
  /// The release, as `revoked --version` and `revoked_build_info` show it.
  public static let version = "0.1.0"

  /// The real addresses of the public listener, with the port that the kernel picked if 0 was asked for. A name and `*`
  /// have more than one.
  public var addresses: [ListenAddress] { publicServer.addresses }
  /// The real addresses of the private listener; none without one.
  public var privateAddresses: [ListenAddress] { privateServer?.addresses ?? [] }
  /// The first of `addresses`.
  public var address: ListenAddress { publicServer.address }
  /// The first of `privateAddresses`; `nil` without a private listener.
  public var privateAddress: ListenAddress? { privateServer?.address }

  private enum Phase { case created, running, stopping, stopped }

  private struct Lifecycle {
    var phase = Phase.created
    /// Resumed when it has stopped.
    var waiters: [CheckedContinuation<Void, Never>] = []
  }

  private let configuration: ReceiverConfiguration
  private let lifecycle = Mutex(Lifecycle())
  private let context: ResponderContext
  private let dispatcher: Dispatcher
  private let pruner: Pruner
  private let changes: (any ChangeObservation)?
  private let inbox: Inbox
  private let feed = FeedSignal()
  let embedded: EmbeddedReader
  /// For what may wait for the disk: a task's thread must not.
  private let queue = DispatchQueue(label: "revoked.receiver")
  private let gate: Gate
  private let webhookWatch: WebhookWatch?
  private let publicServer: HTTPServer
  private let privateServer: HTTPServer?

  /// Binds both listeners, opens the store, which may take minutes when an older one is migrated, and listens.
  /// Connections are accepted, and handlers get events, from `start` on.
  ///
  /// Throws when there is no secret, a handler's name stands twice, the store cannot be opened or an address cannot be
  /// listened on.
  public init(
    _ configuration: ReceiverConfiguration, handlers: [HandlerRegistration] = [],
    logger: Logger = Logger(label: "revoked")
  ) throws(ReceiverError) {
    try Self.check(configuration, handlers)
    self.configuration = configuration
    // Bound before the store is opened, since an address in use is nothing to migrate a store for; they listen once
    // there is one to answer from.
    let (publicListener, privateListener) = try Self.listening { () throws(ListenError) -> (Listener, Listener?) in
      (
        try Listener(configuration.listen),
        try configuration.hasPrivateListener ? Listener(configuration.privateListen) : nil
      )
    }
    let now: @Sendable () -> Timestamp = { .now }
    do throws(StoreError) {
      let store = try configuration.openStore(.serve) { notice in logger.log(notice) }
      let tally = try store.tally()
      logger.notice(
        store.isNew
          ? "a new store was made: no session revoked before now is known, and none of them is refused"
          : "the store was opened",
        metadata: [
          "path": "\(store.location)", "created": "\(store.createdAt)",
          "sessions": .stringConvertible(tally.revocations),
          "events": .stringConvertible(tally.events),
        ])
      let dispatcher = try Dispatcher(
        store: store, handlers: handlers, logger: logger, attemptFile: "\(configuration.data)/attempts")
      let metrics = Metrics()
      let probe = CommitProbe(store)
      let dynamic = configuration.dynamic.flatMap { $0.checkEvery > .zero ? $0 : nil }
      let health = dynamic.map { _ in DynamicHealth() }
      let embedded = EmbeddedReader(store, health, now: now)
      self.embedded = embedded
      inbox = Inbox(store) { [feed] commit in
        probe.committed()
        metrics.observe(commit)
        dispatcher.wake()
        feed.ring()
        embedded.ring()
      }
      self.dispatcher = dispatcher
      changes = Self.observe(store, logger) { [feed] in
        dispatcher.wake()
        feed.ring()
        embedded.ring()
      }
      pruner = Pruner(store: store, handlers: { dispatcher.counters.map(\.name) }, now: now) { error in
        logger.error("forgetting what is old failed; tried again in an hour", metadata: ["error": "\(error)"])
      }
      context = ResponderContext(
        store: store, inbox: inbox, probe: probe, metrics: metrics, dispatcher: dispatcher,
        dynamic: health, retention: configuration.retention,
        secrets: configuration.secrets, path: configuration.path, logger: logger, now: now,
        lastSigned: tally.lastReceivedAt)
      gate = Gate(configuration, context)
      webhookWatch =
        if let dynamic, let health {
          try WebhookWatch(dynamic, path: configuration.path, context, health)
        } else {
          nil
        }
    } catch {
      throw ReceiverError(error)
    }
    // Half of the cores parse and verify; the other half is for the writer and the handlers. Look-ups get as many: they
    // seldom come as fast as deliveries do.
    let loops = max(1, ProcessInfo.processInfo.activeProcessorCount / 2)
    (publicServer, privateServer) = try Self.listening { () throws(ListenError) -> (HTTPServer, HTTPServer?) in
      (
        try HTTPServer(
          publicListener, limits: configuration.limits, loops: loops, label: "revoked.public",
          acceptPaused: Self.complaint("public", logger)),
        try privateListener.map { (listener) throws(ListenError) in
          try HTTPServer(
            listener, limits: configuration.limits, loops: loops, hasSideLoop: true, label: "revoked.private",
            acceptPaused: Self.complaint("private", logger))
        }
      )
    }
  }

  private static func listening<Result>(_ body: () throws(ListenError) -> Result) throws(ReceiverError) -> Result {
    do throws(ListenError) {
      return try body()
    } catch {
      throw .listener(error.description)
    }
  }

  /// Accepts connections, and lets handlers begin. Does nothing the second time, and after `stop`.
  public func start() {
    let isFirst = lifecycle.withLock { lifecycle in
      guard lifecycle.phase == .created else { return false }
      lifecycle.phase = .running
      return true
    }
    if isFirst { begin() }
  }

  /// Starts, and returns once the receiver has stopped, which it does when the task is cancelled or `stop` is called.
  public func run() async throws {
    start()
    await withTaskCancellationHandler {
      await stopped()
    } onCancel: {
      Task { await stop() }
    }
  }

  private func stopped() async {
    await withCheckedContinuation { continuation in
      let isOver = lifecycle.withLock { lifecycle in
        if lifecycle.phase == .stopped { return true }
        lifecycle.waiters.append(continuation)
        return false
      }
      if isOver { continuation.resume() }
    }
  }

  private func begin() {
    publicServer.start { [context, path = configuration.path] loop in
      WebhookResponder(loop: loop, context: context, path: path)
    }
    if let privateServer { begin(privateServer) }
    gate.verification?.keys.start()
    // Behind the listeners: a handler that ends the process must not keep look-ups from being answered.
    dispatcher.start()
    pruner.start()
    webhookWatch?.start()
  }

  private func begin(_ privateServer: HTTPServer) {
    let readiness = Readiness(context) { [keys = gate.verification?.keys, context] in
      context.dynamic?.complaint ?? keys?.complaint
    } lanesRun: { [dispatcher] in
      dispatcher.isRunning
    }
    let pages = PrivatePages(
      readiness: readiness,
      metrics: MetricsPage(
        context: context, dispatcher: dispatcher, readiness: readiness, publicCounters: publicServer.counters,
        privateCounters: privateServer.counters),
      status: StatusReport(context, readiness), inspection: Inspection(context),
      history: History(context.metrics, now: context.now),
      files: PageFiles(needsToken: configuration.privateToken != nil))
    privateServer.start { [context, feed, gate, token = configuration.privateToken] loop in
      PrivateResponder(loop: loop, context: context, pages: pages, feedSignal: feed, token: token, gate: gate)
    }
  }

  /// From the next delivery on, these secrets count and no others: for a rotation without a restart. An empty list
  /// changes nothing.
  public func replaceSecrets(_ secrets: [Secret]) {
    if !secrets.isEmpty { context.replaceSecrets(secrets) }
  }

  /// From the next call on, Dynamic's API gets this token. Does nothing where none was configured.
  public func replaceAPIToken(_ token: Secret) { webhookWatch?.replaceToken(token) }

  /// From now on these are the handlers, and no others. One whose name was there goes on where it stands, and its next
  /// attempt is made by the new registration; one that is new gets the events that come from now on; one that is gone
  /// finishes nothing more, and is back where it stood if it ever returns. This is the only way to register a handler
  /// after the start.
  ///
  /// Throws, and changes nothing, when a name stands twice or the store fails.
  public func replaceHandlers(_ handlers: [HandlerRegistration]) async throws(ReceiverError) {
    try Self.check(handlers)
    let result = await aside { [dispatcher] in
      Result { () throws(StoreError) in try dispatcher.replace(handlers) }
    }
    do throws(StoreError) {
      try result.get()
    } catch {
      throw .store(error.description)
    }
  }

  /// Returns once the writer and every loop of the listeners have shown that they are alive, for a watchdog. While one
  /// of them hangs it does not return, but throws `CancellationError` when the task is cancelled. A store that cannot
  /// be written is no reason to be killed, and does not count.
  public func whenAlive() async throws {
    let (alive, signal) = AsyncStream.makeStream(of: Void.self)
    whenAlive { signal.finish() }
    for await _ in alive {}
    try Task.checkCancellation()
  }

  /// The same for who needs no task for it: tasks' threads may all be busy with handlers.
  package func whenAlive(_ answer: @escaping @Sendable () -> Void) {
    let roll = RollCall(of: publicServer.loopCount + (privateServer?.loopCount ?? 0) + 1, complete: answer)
    publicServer.ping { roll.answer() }
    privateServer?.ping { roll.answer() }
    inbox.ping { roll.answer() }
  }

  /// Finishes what is in flight, requests and handlers' attempts, for at most the drain timeout, and closes everything.
  /// Readiness turns red first; what was acknowledged is on disk already, what handlers did not finish is offered again
  /// after the next start.
  ///
  /// Returns at once if the receiver was never started; its addresses are free when it is released. A second call
  /// returns with the first.
  public func stop() async {
    let phase = lifecycle.withLock { lifecycle in
      let phase = lifecycle.phase
      if phase == .created || phase == .running { lifecycle.phase = .stopping }
      return phase
    }
    switch phase {
    case .created:
      changes?.cancel()
      await close()
    case .running:
      await finish()
    case .stopping, .stopped:
      return await stopped()
    }
    let waiters = lifecycle.withLock { lifecycle in
      lifecycle.phase = .stopped
      defer { lifecycle.waiters = [] }
      return lifecycle.waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  private func finish() async {
    context.isDraining.store(true, ordering: .relaxed)
    gate.verification?.keys.stop()
    webhookWatch?.stop()
    pruner.stop()
    changes?.cancel()
    let deadline = ContinuousClock.now + configuration.drainTimeout
    await drain(publicServer, within: configuration.drainTimeout)
    await Self.wait(for: ContinuousClock.now.duration(to: deadline)) { [dispatcher] in await dispatcher.finish() }
    await close()
  }

  private func close() async {
    // Nothing that hangs, be it a disk or a handler, keeps the process: whatever is not done yet was not acknowledged,
    // or is done again. Together with the drain timeout these stay below the 10 s that a supervisor waits.
    await Self.wait(for: .milliseconds(500)) { [inbox] in
      await withCheckedContinuation { continuation in inbox.close { continuation.resume() } }
    }
    await Self.wait(for: .milliseconds(500)) { [dispatcher] in await dispatcher.stop() }
    feed.close()
    embedded.close()
    // Look-ups are answered to the end: an application may still be asking whether it is safe to let a request through.
    if let privateServer, context.isDraining.load(ordering: .relaxed) {
      await drain(privateServer, within: .milliseconds(250))
    }
    await Self.wait(for: .milliseconds(500)) { [self] in
      await aside { [context] in
        do throws(StoreError) {
          try context.store.close()
        } catch {
          context.logger.error(
            "closing the store failed; nothing acknowledged is lost", metadata: ["error": "\(error)"])
        }
      }
    }
  }

  /// Has the work done on a queue, and leaves the task's thread to other tasks.
  private func aside<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
      queue.async { continuation.resume(returning: work()) }
    }
  }

  /// Without it a dead letter that was put back waits for the next event, or the next start.
  private static func observe(
    _ store: any Store, _ logger: Logger, _ changed: @escaping @Sendable () -> Void
  ) -> (any ChangeObservation)? {
    do throws(StoreError) {
      return try store.observeChanges(changed)
    } catch {
      logger.warning(
        "dead letters that `revoked dead replay` puts back are noticed at the next event only",
        metadata: ["error": "\(error)"])
      return nil
    }
  }

  private static func complaint(_ listener: String, _ logger: Logger) -> @Sendable () -> Void {
    let log = ThrottledLog(logger)
    return {
      log.failed(
        "out of file descriptors: new connections wait. Raise the limit on open files or lower limits.connections",
        ["listener": "\(listener)"])
    }
  }

  private func drain(_ server: HTTPServer, within limit: Duration) async {
    await Self.wait(for: limit) { await server.drain() }
    server.abort()
  }

  /// Returns when the work is done or the time is up, whichever comes first.
  private static func wait(for limit: Duration, _ work: @escaping @Sendable () async -> Void) async {
    let (done, signal) = AsyncStream.makeStream(of: Void.self)
    Task {
      await work()
      signal.finish()
    }
    let alarm = Task {
      try await Task.sleep(for: limit)
      signal.finish()
    }
    for await _ in done {}
    alarm.cancel()
  }

  private static func check(
    _ configuration: ReceiverConfiguration, _ handlers: [HandlerRegistration]
  ) throws(ReceiverError) {
    guard !configuration.secrets.isEmpty else { throw .configuration("a receiver needs at least one webhook secret") }
    do throws(OpenSSLFailure) {
      _ = try SignatureVerifier(secrets: configuration.secrets)
    } catch {
      throw .configuration(error.description)
    }
    if let cookie = configuration.forwardAuth.cookie, TokenCookie(name: cookie) == nil {
      throw .configuration("the name of the cookie that carries the JWT is no cookie's name")
    }
    if let environment = configuration.environmentID {
      guard UUIDBytes(uuid: Array(environment.utf8).span) != nil else {
        throw .configuration("the environment's id is no UUID")
      }
      if let verified = configuration.forwardAuth.verification?.environmentID, verified != environment {
        throw .configuration("JWTs are verified for another environment than the receiver's")
      }
    }
    try check(handlers)
  }

  private static func check(_ handlers: [HandlerRegistration]) throws(ReceiverError) {
    var names: Set<String> = []
    for handler in handlers where !names.insert(handler.name).inserted {
      throw .configuration("two handlers are named \(handler.name)")
    }
  }
}
