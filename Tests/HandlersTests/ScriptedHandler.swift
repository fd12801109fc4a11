import DynamicEvents
import Handlers
import Synchronization

/// Does with each event what the test says, and tells the test that it got it.
final class ScriptedHandler: EventHandler {
  struct Failure: Error {}

  /// The ids of the events, call by call. Ends with the test's task, so that a call that never comes fails a test with
  /// a time limit and does not hang it.
  let calls: AsyncStream<String>
  private let called: AsyncStream<String>.Continuation
  private let count = Mutex(0)
  private let script: @Sendable (_ id: String, _ call: Int) async throws -> Void

  /// - Parameter script: `call` counts all calls from 1. What it throws, the handler throws.
  init(_ script: @escaping @Sendable (_ id: String, _ call: Int) async throws -> Void = { _, _ in }) {
    (calls, called) = AsyncStream.makeStream()
    self.script = script
  }

  var callCount: Int { count.withLock { $0 } }

  func handle(_ event: Event) async throws {
    let call = count.withLock { count in
      count += 1
      return count
    }
    let id = event.envelope.eventId ?? ""
    called.yield(id)
    try await script(id, call)
  }

  /// The next calls.
  func next(_ count: Int) async -> [String] {
    var ids: [String] = []
    guard count > 0 else { return ids }
    for await id in calls {
      ids.append(id)
      if ids.count == count { break }
    }
    return ids
  }
}
