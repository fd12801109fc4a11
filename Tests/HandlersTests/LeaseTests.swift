import Dispatch
import Handlers
import Logging
import Storage
import Synchronization
import TestSupport
import Testing

/// Of several nodes on one store, one delivers to a handler at a time.
@Suite(.timeLimit(.minutes(2))) struct LeaseTests {
  private let bench: Bench
  private let leases = LeasedNode.Leases()

  init() throws {
    bench = try Bench()
  }

  private func node(_ number: Int, _ handler: ScriptedHandler) throws -> (LeasedNode, Dispatcher) {
    let node = LeasedNode(number, bench, leases)
    let dispatcher = try Dispatcher(
      store: node, handlers: [HandlerRegistration("purge", timeout: .seconds(3600), handler: handler)],
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, clock: bench.clock.lanes, random: { 0.5 })
    dispatcher.start()
    return (node, dispatcher)
  }

  /// Returns when it is so, with no time passing.
  private func wait(until condition: () throws -> Bool) async throws {
    while try !condition() {
      try Task.checkCancellation()
      await Task.yield()
    }
  }

  /// Returns when the handler has nothing to do. A node that is cut off has an alarm each second: `settle` goes from
  /// one to the next, and through the other's lease before that one's thread has had its turn.
  private func idles(dead: Int = 0) async throws {
    try await wait {
      bench.clock.advance(by: .milliseconds(1))
      return try bench.isIdle("purge", dead: dead)
    }
  }

  @Test func `the second node waits, and goes on where the first has stopped`() async throws {
    let (first, second) = (ScriptedHandler(), ScriptedHandler())
    let (node, one) = try node(1, first)
    let (_, two) = try self.node(2, second)
    try bench.store(many: 3)
    for dispatcher in [one, two] { dispatcher.wake() }
    #expect(await first.next(3) == ["1", "2", "3"])
    try await idles()
    // Four times as long as a lease: the first renews its own.
    for _ in 0..<12 {
      let asked = node.askedCount
      bench.clock.advance(by: LeasedNode.renewal)
      try await wait { node.askedCount > asked }
    }
    try bench.store("4")
    for dispatcher in [one, two] { dispatcher.wake() }
    #expect(await first.next(1) == ["4"])
    try await idles()
    #expect(second.callCount == 0)

    await one.stop()
    try bench.store("5")
    bench.clock.advance(by: LeasedNode.lease)
    #expect(await second.next(1) == ["5"])
    try await idles()
    #expect(first.callCount == 4 && second.callCount == 1)
    await two.stop()
  }

  @Test func `a node that cannot renew its lease stops before another begins, and goes on after it`() async throws {
    let gate = Gate()
    let cancelled = Atomic(0)
    let first = ScriptedHandler { _, _ in
      await withTaskCancellationHandler {
        await gate.wait()
      } onCancel: {
        cancelled.wrappingAdd(1, ordering: .releasing)
      }
    }
    let second = ScriptedHandler()
    let (node, one) = try node(1, first)
    let (_, two) = try self.node(2, second)
    try bench.store("1")
    one.wake()
    #expect(await first.next(1) == ["1"])
    node.cut(true)
    let asked = node.askedCount
    bench.clock.advance(by: LeasedNode.renewal)
    try await wait { node.askedCount > asked }
    let tooEarly = cancelled.load(ordering: .acquiring)
    #expect(tooEarly == 0)
    bench.clock.advance(by: LeasedNode.lease - LeasedNode.margin - LeasedNode.renewal)
    try await wait { cancelled.load(ordering: .acquiring) == 1 }
    #expect(second.callCount == 0)
    bench.clock.advance(by: LeasedNode.margin)
    #expect(await second.next(1) == ["1"])
    try await idles()

    // Back again, the first follows.
    node.cut(false)
    try bench.store("2")
    for dispatcher in [one, two] { dispatcher.wake() }
    #expect(await second.next(1) == ["2"])
    try await idles()
    #expect(first.callCount == 1 && second.callCount == 2)
    await one.stop()
    await two.stop()
  }

  @Test func `what an attempt comes to after its lease was lost is not recorded`() async throws {
    let hang = Gates()
    // Deaf to being cancelled.
    let first = ScriptedHandler { _, _ in await hang.wait() }
    let second = ScriptedHandler { _, _ in throw Undeliverable("no") }
    let (node, one) = try node(1, first)
    let (_, two) = try self.node(2, second)
    try bench.store("1")
    one.wake()
    #expect(await first.next(1) == ["1"])
    node.cut(true)
    bench.clock.advance(by: LeasedNode.lease)
    #expect(await second.next(1) == ["1"])
    try await idles(dead: 1)
    node.cut(false)
    let asked = node.askedCount
    await hang.openOne()
    // At rest again, it asks whether it leads.
    try await wait {
      bench.clock.endShortSleeps()
      return node.askedCount > asked
    }
    #expect(try bench.isIdle("purge", dead: 1))
    #expect(first.callCount == 1)
    await one.stop()
    await two.stop()
  }

  @Test func `a stop while a claim is under way leaves no lease that others would wait for`() async throws {
    let (_, one) = try node(1, ScriptedHandler())
    let (node, two) = try node(2, ScriptedHandler())
    await one.stop()
    let claim = node.holdClaim()
    bench.clock.advance(by: LeasedNode.lease)
    try await wait { node.isClaimHeld }
    let stop = Task { await two.stop() }
    // The lane has been told, and waits for its claim.
    for _ in 0..<100 { await Task.yield() }
    claim.signal()
    await stop.value
    #expect(!leases.isAnyHeld(at: bench.clock.uptime))
  }

  @Test func `a node that follows another again after the store was away has no alarm but that of its next claim`()
    async throws
  {
    let other = LeasedNode(1, bench, leases)
    _ = try other.claim("purge", patterns: [], at: bench.now)
    let (node, follower) = try node(2, ScriptedHandler())
    node.cut(true)
    bench.clock.advance(by: LeasedNode.lease)
    try await wait { node.askedCount == 2 }
    _ = try other.claim("purge", patterns: [], at: bench.now)
    node.cut(false)
    while node.askedCount < 3 {
      try await wait { bench.clock.sleepers == 1 }
      bench.clock.endShortSleeps()
    }
    // Also what was set while the claim was under way is over.
    for _ in 0..<20 {
      try await wait { bench.clock.sleepers == 1 }
      bench.clock.endShortSleeps()
    }
    #expect(bench.clock.earliestSleep.map { $0 > bench.clock.uptime + .seconds(10) } == true)
    await follower.stop()
  }

  @Test func `a node that loses its lease while an event waits for its retry has no alarm for that`() async throws {
    let handler = ScriptedHandler { _, _ in throw RetryLater("busy", after: .seconds(14)) }
    let (node, one) = try node(1, handler)
    let other = LeasedNode(2, bench, leases)
    try bench.store("1")
    one.wake()
    #expect(await handler.next(1) == ["1"])
    try await wait { try bench.isRetrying(1) }
    node.cut(true)
    bench.clock.advance(by: LeasedNode.lease)
    guard case .leads = try other.claim("purge", patterns: [], at: bench.now) else {
      Issue.record("the lease has ended")
      return
    }
    let asked = node.askedCount
    node.cut(false)
    try await wait {
      bench.clock.endShortSleeps()
      return node.askedCount > asked
    }
    // One that rings at once sleeps for no time.
    try await wait { bench.clock.earliestSleep.map { $0 > bench.clock.uptime + .seconds(5) } == true }
    #expect(handler.callCount == 1)
    await one.stop()
  }
}
