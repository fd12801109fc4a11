import DynamicEvents
import Handlers
import RevocationStore
import Storage
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(2))) struct BatchHandlerTests {
  /// Notes the calls, and does with each what the test says.
  private final class Noting: BatchHandler {
    let calls = Mutex<[[String]]>([])
    private let script: @Sendable (_ call: Int) async throws -> Void

    init(_ script: @escaping @Sendable (_ call: Int) async throws -> Void = { _ in }) {
      self.script = script
    }

    func handle(_ event: Event) async throws { try await handle([event]) }

    func handle(_ events: [Event]) async throws {
      let call = calls.withLock { calls in
        calls.append(events.map { $0.envelope.eventId ?? "" })
        return calls.count
      }
      try await script(call)
    }

    var events: [String] { calls.withLock { $0.flatMap(\.self) } }
  }

  let bench: Bench

  init() throws {
    bench = try Bench()
  }

  @Test(arguments: [1, 10, 64])
  func `what waits comes in one call, in the order of arrival, as much as may be under way`(
    concurrency: Int
  ) async throws {
    let handler = Noting()
    _ = try bench.store.handlerPosition(registering: "batch", at: bench.now)
    try bench.store(many: 130)
    let dispatcher = try bench.dispatcher(HandlerRegistration("batch", concurrency: concurrency, handler: handler))
    try await bench.idles("batch")
    #expect(handler.events == (1...130).map(String.init))
    #expect(handler.calls.withLock { $0.first?.count } == concurrency)
    #expect(handler.calls.withLock { $0.map(\.count).max() } == concurrency)
    #expect(dispatcher.counters[0].delivered.load(ordering: .relaxed) == 130)
    await dispatcher.stop()
  }

  @Test func `where a call fails, each of its events failed once and comes again`() async throws {
    let handler = Noting { call in if call == 1 { throw RetryLater("busy", after: .seconds(3600)) } }
    _ = try bench.store.handlerPosition(registering: "batch", at: bench.now)
    try bench.store(many: 10)
    let dispatcher = try bench.dispatcher(HandlerRegistration("batch", concurrency: 64, handler: handler))
    try await bench.settle { try (1...10).allSatisfy { try bench.isRetrying($0) } }
    try await bench.passTime { try bench.isIdle("batch") }
    #expect(handler.events.count == 20)
    #expect(Set(handler.events.suffix(10)) == Set((1...10).map(String.init)))
    #expect(dispatcher.counters[0].failed.load(ordering: .relaxed) == 10)
    #expect(dispatcher.counters[0].delivered.load(ordering: .relaxed) == 10)
    await dispatcher.stop()
  }

  @Test func `one that cannot be decoded any more is a dead letter, and the others of its call are delivered`()
    async throws
  {
    let handler = Noting()
    _ = try bench.store.handlerPosition(registering: "batch", at: bench.now)
    try bench.store("1")
    try bench.store(["2"], body: "{")
    try bench.store("3")
    let dispatcher = try bench.dispatcher(HandlerRegistration("batch", concurrency: 64, handler: handler))
    try await bench.idles("batch", dead: 1)
    #expect(handler.calls.withLock { $0 } == [["1", "3"]])
    #expect(try bench.store.deadLetters(DeadLetterFilter(), after: nil, limit: 10).map(\.id.event) == [2])
    await dispatcher.stop()
  }

  @Test func `a call that a stop breaks off says nothing of its events, and all of them come again`() async throws {
    let began = Gate()
    let handler = Noting { call in
      guard call == 1 else { return }
      began.open()
      await Gate().wait()
      throw CancellationError()
    }
    _ = try bench.store.handlerPosition(registering: "batch", at: bench.now)
    try bench.store(many: 5)
    let first = try bench.dispatcher(HandlerRegistration("batch", concurrency: 64, handler: handler))
    await began.wait()
    await first.stop()
    #expect(try bench.store.backlogs()["batch"]?.pending == 5)
    let second = try bench.dispatcher(HandlerRegistration("batch", concurrency: 64, handler: handler))
    try await bench.idles("batch")
    #expect(Set(handler.events.suffix(5)) == Set((1...5).map(String.init)))
    #expect(handler.events.count == 10)
    await second.stop()
  }

  @Test func `what is late is cancelled, and failed for being late`() async throws {
    let handler = Noting { call in
      guard call == 1 else { return }
      await Gate().wait()
      throw RetryLater("cancelled", after: .seconds(3600))
    }
    _ = try bench.store.handlerPosition(registering: "batch", at: bench.now)
    try bench.store(many: 3)
    let dispatcher = try bench.dispatcher(
      HandlerRegistration("batch", timeout: .seconds(30), concurrency: 64, handler: handler))
    try await bench.settle { handler.calls.withLock { $0.count } == 1 }
    bench.clock.advance(by: .seconds(31))
    try await bench.settle { try (1...3).allSatisfy { try bench.isRetrying($0) } }
    await dispatcher.stop()
  }
}
