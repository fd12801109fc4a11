package import Logging
package import RevocationStore
internal import Synchronization

/// Brings stored events to handlers: one lane each, so that a slow or failing handler delays no other.
package final class Dispatcher: Sendable {
  private struct Handlers {
    /// By name, in the order given.
    var registrations: [HandlerRegistration]
    var lanes: [Lane]
    /// Told to stop, by name; the latest of each that has not stopped yet.
    var retiring: [String: Lane] = [:]
  }

  let store: RevocationStore
  let logger: Logger
  private let clock: LaneClock
  private let random: @Sendable () -> Double
  private let handlers: Mutex<Handlers>
  /// Held while the handlers change, also while the store is asked about them; `handlers` never is, because every commit takes it.
  private let changes = Mutex(())

  /// Registers the handlers in the store and starts their lanes. A handler that the store has not met begins behind the newest event.
  package init(
    store: RevocationStore, handlers: [HandlerRegistration], logger: Logger, clock: LaneClock = .system,
    random: @escaping @Sendable () -> Double = { .random(in: 0...1) }
  ) throws(StoreError) {
    self.store = store
    self.logger = logger
    self.clock = clock
    self.random = random
    // A full disk must not keep look-ups from being answered: then the next start takes note.
    try? store.markRemoved(allBut: handlers.map(\.name), at: clock.now())
    var lanes: [Lane] = []
    for handler in handlers {
      lanes.append(try Lane(handler, store: store, logger: logger, clock: clock, random: random))
    }
    self.handlers = Mutex(Handlers(registrations: handlers, lanes: lanes))
    wake()
    tellOfLost()
  }

  /// From now on these are the handlers. One of a name that was there goes on where it stands, with what the new registration says from its
  /// next attempt on; one that is gone is stopped as by `stop`, and its rows stay. When the store fails, nothing has changed.
  package func replace(_ registrations: [HandlerRegistration]) throws(StoreError) {
    try changes.withLock { _ throws(StoreError) in
      let before = handlers.withLock { $0 }
      let old = Dictionary(before.lanes.map { ($0.counters.name, $0) }) { first, _ in first }
      var lanes: [Lane] = []
      for handler in registrations {
        if let lane = old[handler.name] {
          lanes.append(lane)
        } else {
          lanes.append(
            try Lane(
              handler, store: store, logger: logger, clock: clock, random: random, after: before.retiring[handler.name])
          )
        }
      }
      for (handler, lane) in zip(registrations, lanes) { lane.update(handler) }
      let names = Set(registrations.map(\.name))
      let gone = old.filter { !names.contains($0.key) }
      handlers.withLock {
        $0.registrations = registrations
        $0.lanes = lanes
        $0.retiring.merge(gone) { _, latest in latest }
      }
      // Not waited for: it may take as long as its handler likes.
      for lane in gone.values { Task { await retire(lane) } }
    }
    wake()
    tellOfLost()
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

  /// Whether every lane is at work.
  package var isRunning: Bool { lanes.allSatisfy { $0.isRunning.load(ordering: .relaxed) } }

  package var counters: [DeliveryCounters] { lanes.map(\.counters) }

  /// Whether any handler wants events of this name.
  package func wants(_ eventName: String) -> Bool {
    handlers.withLock { $0.registrations.contains { $0.wants(eventName) } }
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
    await forEachLane { await $0.stop() }
  }

  private func forEachLane(_ body: @escaping @Sendable (Lane) async -> Void) async {
    await withTaskGroup { group in
      for lane in handlers.withLock({ $0.lanes + $0.retiring.values }) { group.addTask { await body(lane) } }
    }
  }

  private var lanes: [Lane] { handlers.withLock { $0.lanes } }
}
