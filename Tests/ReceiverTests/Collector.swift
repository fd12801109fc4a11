import DynamicEvents
import Handlers

/// Passes on what it is handed.
struct Collector: EventHandler {
  let events: AsyncStream<Event>
  private let received: AsyncStream<Event>.Continuation

  init() {
    (events, received) = AsyncStream.makeStream()
  }

  func handle(_ event: Event) async throws {
    received.yield(event)
  }

  func next() async -> Event? {
    for await event in events { return event }
    return nil
  }
}
