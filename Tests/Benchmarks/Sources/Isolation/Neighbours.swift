import DynamicEvents
import Foundation
import Handlers
import Synchronization

/// What runs beside the fast handler.
enum Neighbours: String, CaseIterable {
  case none = "alone"
  case failing = "beside one that hangs and one that fails"
  /// Never for long enough at a stretch to be taken for one that is down.
  case halfFailing = "beside one that hangs and one that fails every other time"
}

/// Notes when it has had each event, by its number.
final class FastHandler: EventHandler {
  private struct State {
    var times: [ContinuousClock.Instant?]
    var missing: Int
  }

  private let state: Mutex<State>
  private let (finished, finish) = AsyncStream.makeStream(of: Void.self)

  init(count: Int) {
    state = Mutex(State(times: Array(repeating: nil, count: count), missing: count))
  }

  func handle(_ event: Event) async throws {
    let now = ContinuousClock.now
    guard let number = event.envelope.eventId.flatMap({ Int($0) }) else { return }
    let isLast = state.withLock { state in
      guard state.times.indices.contains(number), state.times[number] == nil else { return false }
      state.times[number] = now
      state.missing -= 1
      return state.missing == 0
    }
    if isLast { finish.finish() }
  }

  /// Once each has come.
  func all() async -> [ContinuousClock.Instant] {
    for await _ in finished {}
    return state.withLock { $0.times.compactMap(\.self) }
  }
}

/// Fails at once, each time or every so many times.
final class FailingHandler: EventHandler {
  struct Failure: Error {}

  private let every: Int
  private let calls = Atomic(0)

  init(every: Int) {
    self.every = every
  }

  func handle(_ event: Event) async throws {
    if calls.wrappingAdd(1, ordering: .relaxed).newValue.isMultiple(of: every) { throw Failure() }
  }
}

/// Blocks its threads until it is released.
final class HungHandler: EventHandler {
  private let gate = DispatchSemaphore(value: 0)

  func handle(_ event: Event) async throws { hang() }

  func release() {
    for _ in 0..<10_000 { gate.signal() }
  }

  private func hang() { gate.wait() }
}
