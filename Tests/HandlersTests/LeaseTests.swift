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

  /// Lets time pass in small steps until it is so.
  private func pass(_ step: Duration = .milliseconds(200), until condition: () throws -> Bool) async throws {
    while try !condition() {
      try Task.checkCancellation()
      bench.clock.advance(by: step)
      // The lanes come to what is due by then.
      for _ in 0..<50 { await Task.yield() }
    }
  }

  @Test func `the second node waits, and goes on where the first has stopped`() async throws {
    let (first, second) = (ScriptedHandler(), ScriptedHandler())
    let (_, one) = try node(1, first)
    let (_, two) = try node(2, second)
    try bench.store(many: 3)
    for dispatcher in [one, two] { dispatcher.wake() }
    #expect(await first.next(3) == ["1", "2", "3"])
    // Far longer than a lease: the first renews its own.
    let later = bench.clock.uptime + .seconds(60)
    try await pass { bench.clock.uptime > later }
    try bench.store("4")
    for dispatcher in [one, two] { dispatcher.wake() }
    #expect(await first.next(1) == ["4"])
    #expect(second.callCount == 0)
    try await bench.idles("purge")

    await one.stop()
    try bench.store("5")
    try await pass { second.callCount > 0 }
    #expect(await second.next(1) == ["5"])
    #expect(first.callCount == 4 && second.callCount == 1)
    await two.stop()
  }

  @Test func `a node that cannot renew its lease stops before another begins, and records nothing late`() async throws {
    let gate = Gate()
    let wasCancelled = Atomic(false)
    let first = ScriptedHandler { _, _ in
      await withTaskCancellationHandler {
        await gate.wait()
      } onCancel: {
        wasCancelled.store(true, ordering: .relaxed)
      }
    }
    let second = ScriptedHandler { _, _ in
      // By then the first has been told to stop.
      if !wasCancelled.load(ordering: .relaxed) { throw ScriptedHandler.Failure() }
    }
    let (node, one) = try node(1, first)
    let (_, two) = try self.node(2, second)
    try bench.store("1")
    one.wake()
    #expect(await first.next(1) == ["1"])
    node.cut(true)
    try await pass { second.callCount > 0 }
    let isCancelled = wasCancelled.load(ordering: .relaxed)
    #expect(isCancelled)
    try await bench.idles("purge")
    #expect(second.callCount == 1)

    // Back again, the first does not take over what the second leads.
    node.cut(false)
    try bench.store("2")
    for dispatcher in [one, two] { dispatcher.wake() }
    #expect(await second.next(2) == ["1", "2"])
    try await bench.idles("purge")
    #expect(first.callCount == 1)
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
    try await pass { second.callCount > 0 }
    try await bench.idles("purge", dead: 1)
    node.cut(false)
    await hang.openOne()
    let later = bench.clock.uptime + .seconds(30)
    try await pass { bench.clock.uptime > later }
    // The dead letter stands.
    #expect(try bench.isIdle("purge", dead: 1))
    await one.stop()
    await two.stop()
  }
}
