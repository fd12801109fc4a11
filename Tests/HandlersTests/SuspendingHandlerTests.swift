import DynamicEvents
import Handlers
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(2))) struct SuspendingHandlerTests {
  /// Notes how attempts begin, and lets none end before the gate is open.
  private final class Noting: SuspendingHandler {
    let begun = Mutex<[String]>([])
    /// nil: open.
    private let waiting = Mutex<[CheckedContinuation<Void, Never>]?>([])

    func handle(_ event: Event) async throws {
      begun.withLock { $0.append(event.envelope.eventId ?? "") }
      await withCheckedContinuation { continuation in
        let isOpen = waiting.withLock { waiting in
          waiting?.append(continuation)
          return waiting == nil
        }
        if isOpen { continuation.resume() }
      }
    }

    func open() {
      let held = waiting.withLock { waiting in
        defer { waiting = nil }
        return waiting ?? []
      }
      for continuation in held { continuation.resume() }
    }
  }

  @Test func `attempts of a handler that suspends begin in the order of events, as many as may be under way`()
    async throws
  {
    let bench = try Bench()
    let handler = Noting()
    let dispatcher = try bench.dispatcher(HandlerRegistration("h", concurrency: 64, handler: handler))
    try bench.store(many: 300)
    dispatcher.wake()
    try await bench.settle { handler.begun.withLock { $0.count } == 64 }
    handler.open()
    try await bench.idles("h")
    #expect(handler.begun.withLock { $0 } == (1...300).map(String.init))
    await dispatcher.stop()
  }
}
