internal import AccessTokens
internal import Dispatch
internal import DynamicEvents
internal import Foundation
public import HTTPServer
public import Handlers
public import Logging
internal import RevocationStore
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

  let configuration: ReceiverConfiguration
  /// Of the data folder, where the store is elsewhere and the folder can be used.
  let folderLock: StoreLock?
  /// Whether the data folder is this receiver's alone, so that it may write down there what others read.
  package let hasFolder: Bool
  let lifecycle = Mutex(Lifecycle())
  let context: ResponderContext
  let dispatcher: Dispatcher
  let pruner: Pruner
  let changes: (any ChangeObservation)?
  let inbox: Inbox
  let feed = FeedSignal()
  let embedded: EmbeddedReader
  /// For what may wait for the disk: a task's thread must not.
  private let queue = DispatchQueue(label: "revoked.receiver")
  let gate: Gate
  let webhookWatch: WebhookWatch?
  let publicServer: HTTPServer
  let privateServer: HTTPServer?

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
      folderLock = configuration.lockFolder(logger)
      hasFolder = folderLock != nil || configuration.store == nil
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
        store: store, handlers: handlers, logger: logger,
        attemptFile: hasFolder ? "\(configuration.data)/attempts" : nil)
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

  /// Has the work done on a queue, and leaves the task's thread to other tasks.
  func aside<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
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

/// Counts answers, each of which comes once, and tells when all are there.
final class RollCall: Sendable {
  private let missing: Atomic<Int>
  private let complete: @Sendable () -> Void

  init(of count: Int, complete: @escaping @Sendable () -> Void) {
    missing = Atomic(count)
    self.complete = complete
  }

  func answer() {
    if missing.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { complete() }
  }
}
