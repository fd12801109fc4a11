import Foundation
import Handlers
import Storage
import Synchronization
import TestSupport
import Testing

@testable import RevocationStore

@Suite(.timeLimit(.minutes(2))) struct ConcurrencyTests {
  let bench: Bench

  init() throws {
    bench = try Bench()
  }

  @Test(arguments: [1, 3, 8])
  func `so many attempts run at the same time, and no more`(concurrency: Int) async throws {
    let gate = Gates()
    let handler = ScriptedHandler { _, _ in await gate.wait() }
    let dispatcher = try bench.dispatcher(
      HandlerRegistration("parallel", concurrency: concurrency, handler: handler))
    try bench.store(many: 20)
    dispatcher.wake()
    try await bench.settle { gate.waiting == concurrency }
    for _ in 0..<20 { await gate.openOne() }
    try await bench.idles("parallel")
    #expect(gate.most == concurrency)
    #expect(handler.callCount == 20)
    await dispatcher.stop()
  }

  @Test func `one event that hangs does not hold up the lane's others, nor their being recorded`() async throws {
    let hang = Gate()
    let handler = ScriptedHandler { id, _ in if id == "1" { await hang.wait() } }
    let dispatcher = try bench.dispatcher(HandlerRegistration("parallel", concurrency: 2, handler: handler))
    try bench.store(many: 200)
    dispatcher.wake()
    _ = await handler.next(200)
    try await bench.settle { try bench.store.backlogs()["parallel"] == Backlog(pending: 1, dead: 0) }
    #expect(dispatcher.counters.map { $0.delivered.load(ordering: .relaxed) } == [199])
    hang.open()
    try await bench.idles("parallel")
    #expect(handler.callCount == 200)
    await dispatcher.stop()
  }

  @Test func `what hung in a process that was killed comes again after the next start`() async throws {
    let handler = ScriptedHandler { id, _ in if id == "1" { await Gate().wait() } }
    let killed = try bench.dispatcher(HandlerRegistration("parallel", concurrency: 2, handler: handler))
    try bench.store(many: 200)
    killed.wake()
    _ = await handler.next(200)
    try await bench.settle { try bench.store.backlogs()["parallel"] == Backlog(pending: 1, dead: 0) }
    // Not stopped: a second one on the same store finds what a kill would leave.
    let after = ScriptedHandler()
    let second = try bench.dispatcher(HandlerRegistration("parallel", handler: after))
    #expect(await after.next(1) == ["1"])
    try await bench.idles("parallel")
    #expect(after.callCount == 1)
    await second.stop()
    await killed.stop()
  }

  @Test
  func `what failed behind an event that hung when the process was killed waits for its time, and is not begun anew`()
    async throws
  {
    let handler = ScriptedHandler { id, _ in
      if id == "1" { await Gate().wait() }
      throw RetryLater("busy", after: .seconds(3600))
    }
    let killed = try bench.dispatcher(HandlerRegistration("parallel", concurrency: 2, handler: handler))
    try bench.store(many: 2)
    killed.wake()
    _ = await handler.next(2)
    try await bench.settle { try bench.isRetrying(2) }
    let after = ScriptedHandler()
    let second = try bench.dispatcher(HandlerRegistration("parallel", concurrency: 2, handler: after))
    #expect(await after.next(1) == ["1"])
    try await bench.settle { try bench.store.backlogs()["parallel"] == Backlog(pending: 1, dead: 0) }
    #expect(after.callCount == 1)
    #expect(try bench.isRetrying(2))
    await second.stop()
    await killed.stop()
  }

  @Test func `a stop in the middle repeats only what had not ended`() async throws {
    let handler = ScriptedHandler { id, _ in
      guard id == "1" else { return }
      await Gate().wait()
      throw CancellationError()
    }
    let first = try bench.dispatcher(HandlerRegistration("parallel", concurrency: 2, handler: handler))
    try bench.store(many: 20)
    first.wake()
    _ = await handler.next(20)
    try await bench.settle { first.counters.allSatisfy { $0.delivered.load(ordering: .relaxed) == 19 } }
    await first.stop()
    let after = ScriptedHandler()
    let second = try bench.dispatcher(HandlerRegistration("parallel", handler: after))
    #expect(await after.next(1) == ["1"])
    try await bench.idles("parallel")
    #expect(after.callCount == 1)
    await second.stop()
  }

  @Test func `an attempt that takes too long is cancelled, and has failed`() async throws {
    let handler = ScriptedHandler { id, call in
      guard call == 1 else { return }
      await Gate().wait()
      throw CancellationError()
    }
    let dispatcher = try bench.dispatcher(HandlerRegistration("slow", timeout: .seconds(5), handler: handler))
    try bench.store("1")
    dispatcher.wake()
    #expect(await handler.next(1) == ["1"])
    try await bench.settle { bench.clock.sleepers > 0 }
    bench.clock.advance(by: .seconds(4.9))
    #expect(dispatcher.counters.map { $0.failed.load(ordering: .relaxed) } == [0])
    try await bench.passTime { handler.callCount == 2 }
    try await bench.idles("slow")
    #expect(dispatcher.counters.map { $0.failed.load(ordering: .relaxed) } == [1])
    await dispatcher.stop()
  }

  @Test func `a handler that ignores its cancellation keeps its place, and is not given the event again`() async throws
  {
    let gate = Gate()
    let handler = ScriptedHandler { id, _ in
      // A task of its own is not cancelled with it.
      if id == "1" { await Task { await gate.wait() }.value }
    }
    let dispatcher = try bench.dispatcher(
      HandlerRegistration("deaf", timeout: .seconds(5), concurrency: 2, handler: handler))
    try bench.store(many: 100)
    dispatcher.wake()
    _ = await handler.next(100)
    for _ in 0..<100 {
      bench.clock.advance(by: .seconds(3600))
      dispatcher.wake()
      await Task.yield()
    }
    try await bench.settle { try bench.store.backlogs()["deaf"] == Backlog(pending: 1, dead: 0) }
    #expect(handler.callCount == 100)
    gate.open()
    try await bench.idles("deaf")
    #expect(handler.callCount == 100)
    #expect(dispatcher.counters.map { $0.delivered.load(ordering: .relaxed) } == [100])
    await dispatcher.stop()
  }

  @Test func `while the store cannot record, hardly an event is begun, and none again`() async throws {
    let gate = Gate()
    let handler = ScriptedHandler { _, call in if call == 1 { await gate.wait() } }
    let dispatcher = try bench.dispatcher(HandlerRegistration("steady", timeout: .seconds(36_000), handler: handler))
    try bench.store("1")
    dispatcher.wake()
    #expect(await handler.next(1) == ["1"])
    try bench.store((2...200).map(String.init), name: "user.session.revoked")
    let away = bench.folder.data + "/away"
    try FileManager.default.moveItem(atPath: bench.folder.database, toPath: away)
    gate.open()
    var begun: Int?
    for _ in 0..<20 {
      // Its pause before the next try, which fails as well.
      try await bench.settle {
        bench.clock.earliestSleep.map { (.seconds(1)...(.seconds(60))).contains($0 - bench.clock.uptime) } == true
      }
      // One more may have been on its way.
      #expect(handler.callCount <= begun ?? .max)
      begun = begun ?? handler.callCount + 1
      // The file can still be read, and there is more in it.
      dispatcher.wake()
      bench.clock.advance(by: .seconds(60))
    }
    try FileManager.default.moveItem(atPath: away, toPath: bench.folder.database)
    try await bench.settle {
      bench.clock.advance(by: .seconds(60))
      return try bench.isIdle("steady")
    }
    #expect(handler.callCount == 200)
    await dispatcher.stop()
  }

  @Test func `the handlers can be replaced: each name goes on where it stands`() async throws {
    let (kept, gone) = (ScriptedHandler(), ScriptedHandler())
    let dispatcher = try bench.dispatcher(
      HandlerRegistration("kept", handler: kept), HandlerRegistration("gone", handler: gone))
    try bench.store("1")
    dispatcher.wake()
    #expect(await kept.next(1) == ["1"])
    #expect(await gone.next(1) == ["1"])
    try await bench.idles("gone")
    let (renewed, new) = (ScriptedHandler(), ScriptedHandler())
    try dispatcher.replace([
      HandlerRegistration("new", events: [EventPattern("user.created")], handler: new),
      HandlerRegistration("kept", concurrency: 4, handler: renewed),
    ])
    #expect(dispatcher.wants("user.created"))
    #expect(dispatcher.counters.map(\.name) == ["new", "kept"])
    #expect(dispatcher.isRunning)
    try bench.store("2")
    try bench.store("3", name: "user.created")
    dispatcher.wake()
    #expect(await renewed.next(1) == ["2"])
    #expect(await new.next(1) == ["3"])
    for name in ["kept", "new"] { try await bench.idles(name) }
    #expect(kept.callCount == 1)
    #expect(gone.callCount == 1)
    // It stands where it stood, and its backlog shows.
    #expect(try bench.store.backlogs()["gone"]?.pending ?? 0 > 0)

    let back = ScriptedHandler()
    try dispatcher.replace([HandlerRegistration("gone", handler: back)])
    #expect(await back.next(1) == ["2"])
    await dispatcher.stop()
  }

  @Test func `a handler that is back before its last attempt has ended waits for it, and goes on behind it`()
    async throws
  {
    let gate = Gate()
    // Deaf to its cancellation.
    let first = ScriptedHandler { _, _ in await Task { await gate.wait() }.value }
    let dispatcher = try bench.dispatcher(HandlerRegistration("back", handler: first))
    try bench.store("1", "2")
    dispatcher.wake()
    #expect(await first.next(1) == ["1"])
    let (second, third) = (ScriptedHandler(), ScriptedHandler())
    try dispatcher.replace([])
    try dispatcher.replace([HandlerRegistration("back", handler: second)])
    try dispatcher.replace([])
    try dispatcher.replace([HandlerRegistration("back", handler: third)])
    // All that could happen has.
    for _ in 0..<1000 {
      bench.clock.endShortSleeps()
      await Task.yield()
    }
    #expect(third.callCount == 0)
    gate.open()
    #expect(await third.next(1) == ["2"])
    try await bench.idles("back")
    #expect(first.callCount == 1 && second.callCount == 0 && third.callCount == 1)
    #expect(try !bench.store.isRemoved("back"))
    await dispatcher.stop()
  }

  @Test func `a handler that was removed may be forgotten once it has stopped, and not before`() async throws {
    let (gate, stopped) = (Gate(), Gate())
    let handler = ScriptedHandler { _, _ in
      await withTaskCancellationHandler {
        await Task { await gate.wait() }.value
      } onCancel: {
        stopped.open()
      }
    }
    let dispatcher = try bench.dispatcher(HandlerRegistration("gone", handler: handler))
    try bench.store("1", "2")
    dispatcher.wake()
    #expect(await handler.next(1) == ["1"])
    try dispatcher.replace([])
    await stopped.wait()
    #expect(try !bench.store.isRemoved("gone"))
    gate.open()
    try await bench.settle { try bench.store.isRemoved("gone") }
    #expect(try bench.store.backlogs()["gone"] == Backlog(pending: 1, dead: 0))
    await dispatcher.stop()
  }

  @Test func `any number of stops at the same time all return`() async throws {
    for _ in 0..<20 {
      let bench = try Bench()
      let dispatcher = try bench.dispatcher(HandlerRegistration("stopped", handler: ScriptedHandler()))
      try bench.store(many: 3)
      dispatcher.wake()
      await withTaskGroup { group in
        for _ in 0..<8 { group.addTask { await dispatcher.stop() } }
      }
    }
  }

  @Test func `handlers that block their threads stop no other lane`() async throws {
    let lock = NSCondition()
    nonisolated(unsafe) var isOpen = false
    let blocking = ScriptedHandler { _, _ in
      Blocking.wait(lock) { unsafe isOpen }
    }
    let fast = ScriptedHandler()
    // More than any machine has cores, and so threads for tasks.
    let dispatcher = try bench.dispatcher(
      HandlerRegistration("blocking", timeout: .seconds(36_000), concurrency: 100, handler: blocking),
      HandlerRegistration("fast", handler: fast))
    try bench.store(many: 100)
    dispatcher.wake()
    _ = await blocking.next(100)
    _ = await fast.next(100)
    try bench.store("last")
    dispatcher.wake()
    #expect(await fast.next(1) == ["last"])
    #expect(blocking.callCount == 100)
    Blocking.release(lock) { unsafe isOpen = true }
    try await bench.idles("blocking")
    await dispatcher.stop()
  }
}

/// Conditions in functions of their own, as asynchronous ones may not wait for them.
private enum Blocking {
  static func wait(_ lock: NSCondition, until isOpen: () -> Bool) {
    lock.lock()
    defer { lock.unlock() }
    while !isOpen() { lock.wait() }
  }

  static func release(_ lock: NSCondition, _ open: () -> Void) {
    lock.lock()
    defer { lock.unlock() }
    open()
    lock.broadcast()
  }
}
