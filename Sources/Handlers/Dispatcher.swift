package import DynamicEvents
package import Logging
package import RevocationStore
internal import Synchronization

/// Brings stored events to handlers: one lane each, so that a slow or failing handler delays no other.
package final class Dispatcher: Sendable {
  private let lanes: [Lane]
  private let tasks: [Task<Void, Never>]

  /// Registers the handlers in the store and starts their lanes. A handler that the store has not met begins behind the newest event.
  package init(
    store: RevocationStore, handlers: [HandlerRegistration], logger: Logger,
    now: @escaping @Sendable () -> Timestamp
  ) throws(StoreError) {
    var lanes: [Lane] = []
    for handler in handlers { lanes.append(try Lane(handler, store: store, logger: logger, now: now)) }
    self.lanes = lanes
    tasks = lanes.map { lane in Task { await lane.run() } }
  }

  /// Whether every lane is at work.
  package var isRunning: Bool { lanes.allSatisfy { $0.isRunning.load(ordering: .relaxed) } }

  package var counters: [DeliveryCounters] { lanes.map(\.counters) }

  /// New events are in the store. Cheap, and may be called from any thread.
  package func wake() {
    for lane in lanes { lane.wake() }
  }

  /// Lets running attempts end or see their cancellation, and returns when none runs. What was not finished is offered again after the
  /// next start.
  package func stop() async {
    for task in tasks { task.cancel() }
    wake()
    for task in tasks { await task.value }
  }
}
