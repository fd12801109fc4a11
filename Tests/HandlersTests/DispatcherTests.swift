import Handlers
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct DispatcherTests {
  let bench: Bench

  init() throws {
    bench = try Bench()
  }

  @Test func `every handler gets every event that it wants, in order of arrival`() async throws {
    let (revocations, all, users) = (ScriptedHandler(), ScriptedHandler(), ScriptedHandler())
    let dispatcher = try bench.dispatcher(
      HandlerRegistration("revocations", handler: revocations),
      HandlerRegistration("all", events: [EventPattern("*")], handler: all),
      HandlerRegistration(
        "users", events: [EventPattern("user.created"), EventPattern("user.session.*")], handler: users))
    try bench.store("1")
    try bench.store("2", name: "user.created")
    try bench.store("3", name: "admin.user.session.revoked")
    try bench.store("4", name: "user.session.created")
    try bench.store("5")
    dispatcher.wake()
    #expect(await revocations.next(3) == ["1", "3", "5"])
    #expect(await all.next(5) == ["1", "2", "3", "4", "5"])
    #expect(await users.next(4) == ["1", "2", "4", "5"])
    for name in ["revocations", "all", "users"] { try await bench.idles(name) }
    await dispatcher.stop()
    #expect(dispatcher.counters.map(\.name) == ["revocations", "all", "users"])
    #expect(dispatcher.counters.map { $0.delivered.load(ordering: .relaxed) } == [3, 5, 4])
    #expect(revocations.callCount == 3)
  }

  @Test func `a handler that is added later gets only what comes then`() async throws {
    try bench.store("1", "2")
    let handler = ScriptedHandler()
    let dispatcher = try bench.dispatcher(HandlerRegistration("new", handler: handler))
    try bench.store("3")
    dispatcher.wake()
    #expect(await handler.next(1) == ["3"])
    await dispatcher.stop()
  }

  @Test func `each handler goes on where it stood, and what it did not finish comes again`() async throws {
    let done = ScriptedHandler()
    let cut = ScriptedHandler { id, _ in
      guard id == "2" else { return }
      await Gate().wait()
      throw CancellationError()
    }
    let first = try bench.dispatcher(
      HandlerRegistration("done", handler: done), HandlerRegistration("cut", handler: cut))
    try bench.store("1", "2", "3")
    first.wake()
    #expect(await done.next(3) == ["1", "2", "3"])
    #expect(await cut.next(2) == ["1", "2"])
    await first.stop()
    #expect(cut.callCount == 2)

    let (doneAfter, cutAfter) = (ScriptedHandler(), ScriptedHandler())
    let second = try bench.dispatcher(
      HandlerRegistration("done", handler: doneAfter), HandlerRegistration("cut", handler: cutAfter))
    try bench.store("4")
    second.wake()
    #expect(await doneAfter.next(1) == ["4"])
    var seen: Set<String> = []
    for await id in cutAfter.calls {
      seen.insert(id)
      if id == "4" { break }
    }
    #expect(seen.isSuperset(of: ["2", "3", "4"]))
    await second.stop()
  }

  @Test func `a slow handler delays no other`() async throws {
    let gate = Gate()
    let slow = ScriptedHandler { _, call in if call == 1 { await gate.wait() } }
    let fast = ScriptedHandler()
    let dispatcher = try bench.dispatcher(
      HandlerRegistration("slow", handler: slow), HandlerRegistration("fast", handler: fast))
    for id in ["1", "2", "3"] {
      try bench.store(id)
      dispatcher.wake()
      #expect(await fast.next(1) == [id])
    }
    #expect(slow.callCount <= 1)
    gate.open()
    #expect(await slow.next(3) == ["1", "2", "3"])
    await dispatcher.stop()
  }

  @Test func `what fails is offered again when its time has come, until it succeeds, and delays no other`()
    async throws
  {
    let handler = ScriptedHandler { id, call in
      if id == "1", call <= 4 { throw ScriptedHandler.Failure() }
    }
    let dispatcher = try bench.dispatcher(HandlerRegistration("flaky", handler: handler))
    try bench.store("1", "2")
    dispatcher.wake()
    try await bench.passTime { handler.callCount == 5 }
    #expect(await handler.next(5) == ["1", "2", "1", "1", "1"])
    try await bench.idles("flaky")
    await dispatcher.stop()
    #expect(dispatcher.counters.map { $0.failed.load(ordering: .relaxed) } == [3])
    #expect(dispatcher.counters.map { $0.delivered.load(ordering: .relaxed) } == [2])
  }

  @Test func `retries that wait outlive a restart`() async throws {
    let failing = ScriptedHandler { _, _ in throw ScriptedHandler.Failure() }
    let first = try bench.dispatcher(HandlerRegistration("flaky", handler: failing))
    try bench.store("1")
    first.wake()
    #expect(await failing.next(1) == ["1"])
    await first.stop()
    let handler = ScriptedHandler()
    let second = try bench.dispatcher(HandlerRegistration("flaky", handler: handler))
    try await bench.passTime { handler.callCount == 1 }
    #expect(await handler.next(1) == ["1"])
    try await bench.idles("flaky")
    await second.stop()
  }

  @Test func `after the last attempt an event is a dead letter, and is left alone`() async throws {
    let handler = ScriptedHandler { id, _ in if id == "1" { throw ScriptedHandler.Failure() } }
    let dispatcher = try bench.dispatcher(HandlerRegistration("flaky", maxAttempts: 3, handler: handler))
    try bench.store("1")
    dispatcher.wake()
    try await bench.passTime { try bench.isIdle("flaky", dead: 1) }
    #expect(await handler.next(3) == ["1", "1", "1"])
    try bench.store("2")
    dispatcher.wake()
    try await bench.passTime { handler.callCount == 4 }
    #expect(await handler.next(1) == ["2"])
    try await bench.idles("flaky", dead: 1)
    await dispatcher.stop()
    #expect(dispatcher.counters.map { $0.failed.load(ordering: .relaxed) } == [2])
    #expect(dispatcher.counters.map { $0.dead.load(ordering: .relaxed) } == [1])
  }

  @Test(arguments: [(20, true), (1, false)])
  func `what is undeliverable, or has one attempt only, is a dead letter at once`(maxAttempts: Int, undeliverable: Bool)
    async throws
  {
    let handler = ScriptedHandler { id, _ in
      guard id == "1" else { return }
      if undeliverable { throw Undeliverable("gone") }
      throw ScriptedHandler.Failure()
    }
    let dispatcher = try bench.dispatcher(HandlerRegistration("picky", maxAttempts: maxAttempts, handler: handler))
    try bench.store("1")
    dispatcher.wake()
    #expect(await handler.next(1) == ["1"])
    try await bench.idles("picky", dead: 1)
    try bench.store("2")
    dispatcher.wake()
    try await bench.passTime { handler.callCount == 2 }
    #expect(await handler.next(1) == ["2"])
    await dispatcher.stop()
  }

  @Test func `a dead letter comes back when Dynamic delivers its event again`() async throws {
    let handler = ScriptedHandler { _, call in if call == 1 { throw Undeliverable("gone") } }
    let dispatcher = try bench.dispatcher(HandlerRegistration("picky", handler: handler))
    try bench.store("1")
    dispatcher.wake()
    #expect(await handler.next(1) == ["1"])
    try await bench.idles("picky", dead: 1)
    try bench.store("1")
    dispatcher.wake()
    #expect(await handler.next(1) == ["1"])
    try await bench.idles("picky")
    await dispatcher.stop()
  }

  @Test func `a handler's own cancellation is a failure, not a stop`() async throws {
    let handler = ScriptedHandler { _, call in if call == 1 { throw CancellationError() } }
    let dispatcher = try bench.dispatcher(HandlerRegistration("nervous", handler: handler))
    try bench.store("1")
    dispatcher.wake()
    #expect(await handler.next(1) == ["1"])
    try await bench.passTime { handler.callCount == 2 }
    try await bench.idles("nervous")
    await dispatcher.stop()
  }

  @Test func `a flood of events in many pages comes complete and in order`() async throws {
    let handler = ScriptedHandler()
    let dispatcher = try bench.dispatcher(HandlerRegistration("all", handler: handler))
    let ids = (1...200).map(String.init)
    for id in ids {
      try bench.store(id)
      dispatcher.wake()
    }
    #expect(await handler.next(200) == ids)
    try await bench.idles("all")
    await dispatcher.stop()
  }

  @Test func `a stop lets the running attempt end, starts no other, and remembers what was done`() async throws {
    let gate = Gate()
    let handler = ScriptedHandler { _, call in
      guard call == 1 else { return }
      // Finishes what it has begun, and here not before it is told to stop.
      await withTaskCancellationHandler {
        await Task { await gate.wait() }.value
      } onCancel: {
        gate.open()
      }
    }
    let dispatcher = try bench.dispatcher(HandlerRegistration("thorough", handler: handler))
    try bench.store("1", "2", "3")
    dispatcher.wake()
    #expect(await handler.next(1) == ["1"])
    await dispatcher.stop()
    #expect(handler.callCount == 1)

    let after = ScriptedHandler()
    let second = try bench.dispatcher(HandlerRegistration("thorough", handler: after))
    #expect(await after.next(2) == ["2", "3"])
    await second.stop()
  }
}
