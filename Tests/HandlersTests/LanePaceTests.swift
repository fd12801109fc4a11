import Dispatch
import Foundation
import Storage
import Synchronization
import TestSupport
import Testing

@testable import Handlers
@testable import RevocationStore

@Suite(.timeLimit(.minutes(2))) struct LanePaceTests {
  @Test func `failures in a row slow a lane down, and one answer ends that`() {
    var pace = LanePace()
    for _ in 1..<LanePace.failures { pace.failed() }
    pace.began(at: .seconds(5))
    #expect(pace.pausedUntil == nil)
    pace.failed()
    #expect(pace.pausedUntil == .seconds(5) + LanePace.pause)
    pace.began(at: .seconds(6))
    #expect(pace.pausedUntil == .seconds(6) + LanePace.pause)
    pace.answered()
    #expect(pace.pausedUntil == nil)
    pace.failed()
    #expect(pace.pausedUntil == nil)
  }

  @Test func `a handler that is down is probed, one event a pause, and has its full speed when it is back`()
    async throws
  {
    let bench = try Bench()
    let begun = Mutex<[Duration]>([])
    let handler = ScriptedHandler { [clock = bench.clock] _, call in
      begun.withLock { $0.append(clock.uptime) }
      if call <= LanePace.failures + 3 { throw ScriptedHandler.Failure() }
    }
    let dispatcher = try bench.dispatcher(
      HandlerRegistration("down", timeout: .seconds(36_000), handler: handler), random: 1)
    try bench.store(many: 200)
    dispatcher.wake()
    for failures in LanePace.failures...LanePace.failures + 3 {
      // The lane has more to do, and sleeps.
      try await until {
        dispatcher.counters[0].failed.load(ordering: .relaxed) == failures
          && bench.clock.earliestSleep == bench.clock.uptime + LanePace.pause
      }
      bench.clock.advance(by: LanePace.pause)
    }
    // All the others, with no time passing; what failed is due in a second.
    try await until { handler.callCount == 200 }
    let times = begun.withLock { $0 }
    let (first, probes) = (LanePace.failures, 4)
    #expect(times[..<first].allSatisfy { $0 == .zero })
    #expect(Array(times[first..<first + probes]) == (1...probes).map { LanePace.pause * $0 })
    #expect(times[(first + probes)...].allSatisfy { $0 == LanePace.pause * probes })
    try await bench.passTime { try bench.isIdle("down") }
    #expect(handler.callCount == 200 + LanePace.failures + 3)
    await dispatcher.stop()
  }

  private func until(_ condition: () -> Bool) async throws {
    while !condition() {
      try Task.checkCancellation()
      await Task.yield()
    }
  }

  @Test func `a new event does not wait until the end of another is recorded`() async throws {
    let bench = try Bench()
    let gate = Gate()
    let handler = ScriptedHandler { _, call in if call == 1 { await gate.wait() } }
    let dispatcher = try bench.dispatcher(HandlerRegistration("fast", handler: handler))
    try bench.store("1")
    dispatcher.wake()
    #expect(await handler.next(1) == ["1"])
    try bench.store("2")
    let (isHeld, release) = (Gate(), DispatchSemaphore(value: 0))
    Thread.detachNewThread { [store = bench.store] in
      try? store.write { _ in
        isHeld.open()
        release.wait()
      }
    }
    await isHeld.wait()
    gate.open()
    dispatcher.wake()
    #expect(await handler.next(1) == ["2"])
    release.signal()
    try await bench.idles("fast")
    await dispatcher.stop()
  }
}
