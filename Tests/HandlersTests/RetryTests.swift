import DynamicEvents
import Handlers
import Storage
import Synchronization
import TestSupport
import Testing

@testable import RevocationStore

@Suite(.timeLimit(.minutes(2))) struct RetryTests {
  let bench: Bench

  init() throws {
    bench = try Bench()
  }

  /// Returns when so many calls have begun of a handler that fails each but the last: the clock goes from one of the
  /// lane's alarms to the next.
  private func pass(_ count: Int, calls: () -> Int, _ dispatcher: Dispatcher) async throws {
    for call in 1...count {
      while true {
        try Task.checkCancellation()
        // Before the look at the calls: the alarm that a call sets is not the one that leads to it.
        let next = bench.clock.earliestSleep
        if calls() >= call { break }
        // An attempt's deadline is further away.
        if let next, next <= bench.clock.uptime + .seconds(3601) { bench.clock.advance(by: next - bench.clock.uptime) }
        await Task.yield()
      }
      if call == count { break }
      while dispatcher.counters[0].failed.load(ordering: .relaxed) < call {
        try Task.checkCancellation()
        await Task.yield()
      }
    }
  }

  @Test(arguments: [
    // Whole pauses: 1, 2, 4, … seconds.
    (1.0, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600].map { Duration.seconds($0) }),
    (0.25, [0.25, 0.5, 1, 2, 4, 8].map { Duration.seconds($0) }),
  ])
  func `the pauses between attempts double up to an hour, and the jitter is a part of them`(
    random: Double, pauses: [Duration]
  ) async throws {
    // As the handler sees it: the clock may go on before anybody else has seen the call.
    let begun = Mutex<[Duration]>([])
    let handler = ScriptedHandler { [clock = bench.clock] _, _ in
      begun.withLock { $0.append(clock.uptime) }
      throw ScriptedHandler.Failure()
    }
    let dispatcher = try bench.dispatcher(
      HandlerRegistration("failing", timeout: .seconds(36_000), handler: handler), random: random)
    try bench.store("1")
    dispatcher.wake()
    try await pass(pauses.count + 1, calls: { begun.withLock { $0.count } }, dispatcher)
    let times = begun.withLock { $0 }
    let seen = zip(times, times.dropFirst()).map { $1 - $0 }
    for (seen, pause) in zip(seen, pauses) {
      // The lane's own pauses may come on top.
      #expect(seen >= pause && seen <= pause + .seconds(1), "\(seen) instead of \(pause)")
    }
    await dispatcher.stop()
  }

  @Test(arguments: [(90, 90), (7200, 3600), (-5, 1), (0, 1)])
  func `a handler may ask for a longer pause, up to an hour`(asked: Int, pause: Int) async throws {
    let begun = Mutex<[Duration]>([])
    let handler = ScriptedHandler { [clock = bench.clock] _, call in
      begun.withLock { $0.append(clock.uptime) }
      if call == 1 { throw RetryLater("busy", after: .seconds(asked)) }
    }
    let dispatcher = try bench.dispatcher(
      HandlerRegistration("busy", timeout: .seconds(36_000), handler: handler), random: 1)
    try bench.store("1")
    dispatcher.wake()
    try await pass(2, calls: { begun.withLock { $0.count } }, dispatcher)
    let times = begun.withLock { $0 }
    let seen = times[1] - times[0]
    #expect(seen >= .seconds(pause) && seen <= .seconds(pause + 1), "\(seen)")
    try await bench.idles("busy")
    await dispatcher.stop()
  }

  @Test(arguments: [Duration.seconds(8 * 3600), .seconds(14 * 365 * 86_400)])
  func `a retry of a time when the clock was ahead comes when its pause is over, and the log says so`(
    ahead: Duration
  ) async throws {
    let handler = ScriptedHandler { _, call in
      if call == 1 { throw RetryLater("busy", after: .seconds(30)) }
    }
    let log = LogCollector()
    let dispatcher = try bench.dispatcher(
      HandlerRegistration("busy", timeout: .seconds(36_000), handler: handler), random: 0, logger: log.logger)
    bench.clock.set(ahead: ahead)
    try bench.store("1")
    dispatcher.wake()
    try await bench.settle { try bench.isRetrying(1) }
    bench.clock.set(ahead: .zero)
    bench.clock.advance(by: .seconds(31))
    // The lane may have looked at the clock in between, and then has an alarm in an hour.
    dispatcher.wake()
    try await bench.idles("busy")
    #expect(handler.callCount == 2)
    await dispatcher.stop()
    #expect(log.messages.contains { $0.hasPrefix("retries were further ahead than any pause") })
  }

  @Test func `a clock that is set ahead makes a retry due, and one set back by less than a pause lets it wait`()
    async throws
  {
    let handler = ScriptedHandler { _, call in
      if call < 3 { throw RetryLater("busy", after: .seconds(60)) }
    }
    let dispatcher = try bench.dispatcher(
      HandlerRegistration("busy", timeout: .seconds(36_000), handler: handler), random: 0)
    try bench.store("1")
    dispatcher.wake()
    try await bench.settle { try bench.isRetrying(1) }
    bench.clock.set(ahead: .seconds(7200))
    dispatcher.wake()
    try await bench.settle { try bench.isRetrying(1, after: 2) }
    // A minute, and half an hour more.
    bench.clock.set(ahead: .seconds(7200 - 1800))
    bench.clock.advance(by: .seconds(61))
    try await bench.settle { bench.clock.earliestSleep.map { $0 > bench.clock.uptime + .seconds(1) } ?? false }
    #expect(handler.callCount == 2)
    bench.clock.advance(by: .seconds(1800))
    try await bench.idles("busy")
    #expect(handler.callCount == 3)
    await dispatcher.stop()
  }

  @Test func `the last error and the times of the attempts stand in the dead letter`() async throws {
    let handler = ScriptedHandler { _, call in
      if call == 3 { throw Undeliverable("they are gone") }
      throw ScriptedHandler.Failure()
    }
    let dispatcher = try bench.dispatcher(HandlerRegistration("flaky", handler: handler))
    try bench.store("1")
    dispatcher.wake()
    try await bench.passTime { try bench.isIdle("flaky", dead: 1) }
    let letter = try #require(try bench.store.deadLetters(DeadLetterFilter(), after: nil, limit: 10).first)
    #expect(letter.error == "they are gone")
    #expect(letter.attempts == 3)
    #expect(letter.attemptTimes.count == 3)
    #expect(letter.attemptTimes == letter.attemptTimes.sorted())
    await dispatcher.stop()
  }
}
