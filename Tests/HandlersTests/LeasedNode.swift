import Dispatch
import DynamicEvents
import Handlers
import RevocationStore
import Storage
import Synchronization

/// One of several nodes on one store: an embedded store, with the leases that a database would keep beside it, as of
/// the test's clock.
final class LeasedNode: DeliveryQueue {
  /// What the nodes share.
  final class Leases: Sendable {
    fileprivate struct Lease {
      var node: Int
      var epoch: Int64
      var until: Duration
    }

    fileprivate let leases = Mutex<[Int64: Lease]>([:])

    /// Whether a node leads a handler.
    func isAnyHeld(at uptime: Duration) -> Bool {
      leases.withLock { leases in leases.values.contains { $0.until > uptime } }
    }
  }

  static let lease: Duration = .seconds(15)
  /// A node stops by itself so long before the lease ends.
  static let margin: Duration = .seconds(2)
  static let renewal: Duration = .seconds(5)

  private let store: RevocationStore
  private let clock: ManualClock
  private let shared: Leases
  private let node: Int
  private let isCut = Atomic(false)
  /// Of a claim that waits, until the test lets it go on.
  private let held = Mutex<DispatchSemaphore?>(nil)
  private let waiting = Atomic(false)
  /// Claims and renewals, also those that did not reach the store.
  private let asked = Atomic(0)

  init(_ node: Int, _ bench: Bench, _ shared: Leases) {
    self.node = node
    self.shared = shared
    store = bench.store
    clock = bench.clock
  }

  var askedCount: Int { asked.load(ordering: .acquiring) }

  /// The node does not reach the store any more, or does again.
  func cut(_ isCut: Bool) { self.isCut.store(isCut, ordering: .relaxed) }

  /// The next claim waits until the returned semaphore is signalled.
  func holdClaim() -> DispatchSemaphore {
    let semaphore = DispatchSemaphore(value: 0)
    held.withLock { $0 = semaphore }
    return semaphore
  }

  var isClaimHeld: Bool { waiting.load(ordering: .acquiring) }

  private func waitIfHeld() {
    guard let semaphore = held.withLock({ $0.take() }) else { return }
    waiting.store(true, ordering: .releasing)
    semaphore.wait()
  }

  private func reach() throws(StoreError) {
    if isCut.load(ordering: .relaxed) { throw .unreachable(path: "the store", cause: "the test has cut the node off") }
  }

  func claim(_ handler: String, patterns: [String], at now: Timestamp) throws(StoreError) -> HandlerClaim {
    defer { asked.wrappingAdd(1, ordering: .releasing) }
    waitIfHeld()
    try reach()
    let cursor = try store.handlerPosition(registering: handler, at: now)
    let uptime = clock.uptime
    return shared.leases.withLock { leases in
      let former = leases[cursor.id]
      if let former, former.node != node, former.until > uptime {
        return .follows(askAgainIn: Self.lease)
      }
      let epoch = (former?.epoch ?? 0) + 1
      leases[cursor.id] = Leases.Lease(node: node, epoch: epoch, until: uptime + Self.lease)
      return .leads(
        HandlerLease(
          handler: cursor.id, epoch: epoch, position: cursor.position, validity: Self.lease - Self.margin,
          renewal: Self.renewal))
    }
  }

  private func change(_ lease: HandlerLease, until: Duration?) throws(StoreError) -> Bool {
    try reach()
    return shared.leases.withLock { leases in
      guard leases[lease.handler]?.epoch == lease.epoch else { return false }
      if let until { leases[lease.handler]?.until = until }
      return true
    }
  }

  func renew(_ lease: HandlerLease, patterns: [String]) throws(StoreError) -> Bool {
    defer { asked.wrappingAdd(1, ordering: .releasing) }
    return try change(lease, until: clock.uptime + Self.lease)
  }

  func release(_ lease: HandlerLease) throws(StoreError) {
    _ = try change(lease, until: .zero)
  }

  var patternsElsewhere: [String] { [] }

  func record(_ attempts: [Attempt], lease: HandlerLease, advancingTo position: Int64?) throws(StoreError) {
    guard try change(lease, until: nil) else { throw .leaseLost(handler: lease.handler) }
    try store.record(attempts, lease: lease, advancingTo: position)
  }

  func events(after position: Int64, limit: Int, bytes: Int, handler: Int64?) throws(StoreError) -> EventPage {
    try reach()
    return try store.events(after: position, limit: limit, bytes: bytes, handler: handler)
  }

  func dueDeliveries(
    handler: Int64, at now: Timestamp, limit: Int, bytes: Int, upTo end: Int64, excluding inHand: Set<Int64>
  ) throws(StoreError) -> DuePage {
    try reach()
    return try store.dueDeliveries(
      handler: handler, at: now, limit: limit, bytes: bytes, upTo: end, excluding: inHand)
  }

  func pendingDelivery(of event: Int64, handler: Int64) throws(StoreError) -> DueDelivery? {
    try reach()
    return try store.pendingDelivery(of: event, handler: handler)
  }

  func backlogs() throws(StoreError) -> [String: Backlog] { try store.backlogs() }
  func oldestPending() throws(StoreError) -> [String: Timestamp] { try store.oldestPending() }
  func markRemoved(allBut names: [String], at now: Timestamp) {}
  func markRemoved(_ name: String, at now: Timestamp) {}
}
