import Handlers
import Logging
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct LaneLogTests {
  @Test func `a handler that fails again and again writes a line a second at most, with how many failed`() async throws
  {
    let bench = try Bench()
    let log = LogCollector()
    let handler = ScriptedHandler { _, _ in throw RetryLater("they are away", after: .seconds(1000)) }
    let dispatcher = try bench.dispatcher(HandlerRegistration("down", handler: handler), logger: log.logger)
    let counts = { log.metadata.map { $0["count"]?.description } }
    let failed = { (number: Int) in
      while dispatcher.counters[0].failed.load(ordering: .relaxed) < number {
        try Task.checkCancellation()
        await Task.yield()
      }
    }
    // The clock stands.
    try bench.store(many: 50)
    dispatcher.wake()
    try await failed(50)
    #expect(counts() == ["1"])
    bench.clock.advance(by: .seconds(1))
    while log.metadata.count < 2 {
      try Task.checkCancellation()
      await Task.yield()
    }
    #expect(counts() == ["1", "49"])
    #expect(log.metadata.allSatisfy { $0["error"] == "they are away" })
    // What a stop finds is told as well.
    try bench.store("51", "52", "53")
    dispatcher.wake()
    try await failed(53)
    #expect(log.metadata.count == 2)
    await dispatcher.stop()
    #expect(counts() == ["1", "49", "3"])
  }
}
