package import Logging
package import Storage
package import Synchronization
internal import SystemPackage

/// Brings stored events to handlers: one lane each, so that a slow or failing handler delays no other.
package final class Dispatcher: Sendable {
  private struct Handlers {
    /// By name, in the order given.
    var registrations: [HandlerRegistration]
    var lanes: [Lane]
    /// Told to stop, by name; the latest of each that has not stopped yet.
    var retiring: [String: Lane] = [:]
    /// Whether attempts may begin.
    var isOpen = false
    /// Opens the lanes, and notes later that the start has not failed.
    var starting: Task<Void, Never>?
  }

  private let store: any DeliveryQueue
  private let logger: Logger
  private let clock: LaneClock
  private let random: @Sendable () -> Double
  /// nil: attempts under way are noted nowhere.
  private let attempts: AttemptFile?
  private let handlers: Mutex<Handlers>
  /// Held while the handlers change, also while the store is asked about them; `handlers` never is, because every
  /// commit takes it.
  private let changes = Mutex(())

  /// Registers the handlers in the store. A handler that the store has not met begins behind the newest event. No
  /// attempt begins before `start`.
  ///
  /// - Parameter path: of the file that notes which attempts are under way, for the next start should this process be
  ///   killed; nil: none does.
  package init(
    store: any DeliveryQueue, handlers: [HandlerRegistration], logger: Logger, attemptFile path: String? = nil,
    clock: LaneClock = .system, random: @escaping @Sendable () -> Double = { .random(in: 0...1) }
  ) throws(StoreError) {
    self.store = store
    self.logger = logger
    self.clock = clock
    self.random = random
    attempts = path.flatMap { Self.open($0, logger) }
    // A full disk must not keep look-ups from being answered: then the next start takes note.
    try? store.markRemoved(allBut: handlers.map(\.name), at: clock.now())
    self.handlers = Mutex(Handlers(registrations: handlers, lanes: []))
    for handler in handlers {
      let lane = try makeLane(handler)
      self.handlers.withLock { $0.lanes.append(lane) }
    }
    warnOfUnregistered()
  }

  private static func open(_ path: String, _ logger: Logger) -> AttemptFile? {
    do throws(Errno) {
      return try AttemptFile(path)
    } catch {
      // Handlers work without it.
      logger.warning(
        "attempts under way cannot be noted: a handler that ends the process would do so at every start",
        metadata: ["path": "\(path)", "error": "\(error)"])
      return nil
    }
  }

  private func makeLane(_ handler: HandlerRegistration, after predecessor: Lane? = nil) throws(StoreError) -> Lane {
    try Lane(
      handler, store: store, logger: logger, clock: clock, random: random, attempts: attempts,
      turnEnded: { [weak self] in self?.wake() }, after: predecessor)
  }

  /// Lets attempts begin, after a pause when the last starts ended early. Called once, when the server listens.
  package func start() {
    attempts?.start()
    let pause = attempts?.pause ?? .zero
    if let attempts, attempts.wasUnclean {
      logger.warning(
        "the process before this one was not stopped but ended; what its handlers were at is attempted later and alone",
        metadata: ["pause": "\(pause)", "uncleanStarts": .stringConvertible(attempts.uncleanStarts)])
    }
    if pause == .zero { open() }
    guard let attempts else { return }
    let starting = Task { [weak self, clock] in
      if pause > .zero {
        guard (try? await clock.sleep(clock.uptime() + pause)) != nil else { return }
        self?.open()
      }
      guard (try? await clock.sleep(clock.uptime() + AttemptFile.proven)) != nil else { return }
      attempts.prove()
    }
    handlers.withLock { $0.starting = starting }
  }

  private func open() {
    let lanes = handlers.withLock { handlers in
      handlers.isOpen = true
      return handlers.lanes
    }
    for lane in lanes { lane.open() }
  }

  /// From now on these are the handlers. One of a name that was there goes on where it stands, with what the new
  /// registration says from its next attempt on; one that is gone is stopped as by `stop`, and its rows stay. When the
  /// store fails, nothing has changed.
  package func replace(_ registrations: [HandlerRegistration]) throws(StoreError) {
    try changes.withLock { _ throws(StoreError) in
      let before = handlers.withLock { $0 }
      let old = Dictionary(before.lanes.map { ($0.counters.name, $0) }) { first, _ in first }
      var lanes: [Lane] = []
      for handler in registrations {
        // Not `??`, which loses the type of the error.
        if let lane = old[handler.name] {
          lanes.append(lane)
        } else {
          lanes.append(try makeLane(handler, after: before.retiring[handler.name]))
        }
      }
      for (handler, lane) in zip(registrations, lanes) { lane.update(handler) }
      let names = Set(registrations.map(\.name))
      let gone = old.filter { !names.contains($0.key) }
      let isOpen = handlers.withLock {
        $0.registrations = registrations
        $0.lanes = lanes
        $0.retiring.merge(gone) { _, latest in latest }
        return $0.isOpen
      }
      if isOpen {
        for lane in lanes where old[lane.counters.name] == nil { lane.open() }
      }
      // Not waited for: it may take as long as its handler likes.
      for lane in gone.values { Task { await retire(lane) } }
    }
    wake()
    warnOfUnregistered()
  }

  /// Only one that has stopped may be forgotten: until then it writes rows.
  private func retire(_ lane: Lane) async {
    await lane.stop()
    let name = lane.counters.name
    changes.withLock { _ in
      let isBack = handlers.withLock { handlers in
        if handlers.retiring[name] === lane { handlers.retiring[name] = nil }
        return handlers.retiring[name] != nil || handlers.lanes.contains { $0.counters.name == name }
      }
      // When the store fails, the next start takes note.
      if !isBack { try? store.markRemoved(name, at: clock.now()) }
    }
  }

  /// Logs a line for each handler that the store knows and the configuration lacks: what it has not delivered waits,
  /// and grows.
  private func warnOfUnregistered() {
    let names = Set(counters.map(\.name))
    // This only looks; what needs the store says when it fails.
    guard let backlogs = try? store.backlogs() else { return }
    for (name, backlog) in backlogs.sorted(by: { $0.key < $1.key })
    where !names.contains(name) && (backlog.pending > 0 || backlog.dead > 0) {
      logger.warning(
        """
        events wait for a handler that is not configured: configure it again under this name, or have it forgotten by \
        `revoked dead discard --handler \(name)`
        """,
        metadata: [
          "handler": "\(name)", "pending": .stringConvertible(backlog.pending),
          "dead": .stringConvertible(backlog.dead),
        ])
    }
  }

  /// Whether every lane is at work.
  package var isRunning: Bool { lanes.allSatisfy { $0.isRunning.load(ordering: .relaxed) } }

  package var counters: [DeliveryCounters] { lanes.map(\.counters) }

  /// Starts that followed an end without a stop, since the data folder was made.
  package var uncleanStarts: Int { attempts?.uncleanStarts ?? 0 }

  /// Whether any handler wants events of this name, here or at another node.
  package func wants(_ eventName: String) -> Bool {
    handlers.withLock { $0.registrations.contains { $0.wants(eventName) } }
      || store.patternsElsewhere.contains { EventPattern($0).matches(eventName) }
  }

  /// Whether that handler wants events of this name; `nil` as the name: what could not be decoded, which no handler
  /// gets. Returns `nil` when there is no such handler.
  package func wants(_ eventName: String?, of handler: String) -> Bool? {
    handlers.withLock { $0.registrations.first { $0.name == handler } }.map { registration in
      eventName.map { registration.wants($0) } ?? false
    }
  }

  /// There may be work in the store. Cheap, and may be called from any thread.
  package func wake() {
    for lane in lanes { lane.wake() }
  }

  /// Begins no attempt any more, and returns when those that run have ended by themselves.
  package func finish() async {
    await forEachLane { await $0.finish() }
  }

  /// Cancels running attempts, and returns when none runs. What was not finished is offered again after the next start.
  package func stop() async {
    // First, because not all attempts listen to being cancelled, and the process does not wait for them.
    attempts?.stop()
    handlers.withLock { $0.starting }?.cancel()
    await forEachLane { await $0.stop() }
  }

  private func forEachLane(_ body: @escaping @Sendable (Lane) async -> Void) async {
    await withTaskGroup { group in
      for lane in handlers.withLock({ $0.lanes + $0.retiring.values }) { group.addTask { await body(lane) } }
    }
  }

  private var lanes: [Lane] { handlers.withLock { $0.lanes } }
}

/// How one handler's attempts ended since the process began.
package final class DeliveryCounters: Sendable {
  package let name: String
  package let delivered = Atomic<Int>(0)
  package let failed = Atomic<Int>(0)
  package let dead = Atomic<Int>(0)

  init(name: String) {
    self.name = name
  }
}
