import Dispatch
import Storage
import Synchronization

@testable import RevocationStore

/// A store whose writer a test can hold up and make fail.
final class GatedStore: EventAppending {
  private struct State {
    var transactions: [Int] = []
    var failures: [StoreError] = []
  }

  private let inner: (any EventAppending)?
  private let state = Mutex(State())
  private let entered = DispatchSemaphore(value: 0)
  private let gate: DispatchSemaphore?

  /// - Parameter isHeld: every append waits for one `pass()`.
  init(_ inner: (any EventAppending)? = nil, isHeld: Bool = false) {
    self.inner = inner
    gate = isHeld ? DispatchSemaphore(value: 0) : nil
  }

  /// How many events each transaction had.
  var transactions: [Int] { state.withLock { $0.transactions } }

  func failNext(_ errors: StoreError...) {
    state.withLock { $0.failures = errors }
  }

  /// Returns once the writer is inside another `append`.
  func waitUntilEntered() { entered.wait() }

  /// Lets a number of held appends go.
  func pass(_ count: Int = 1) {
    for _ in 0..<count { gate?.signal() }
  }

  func probeWritable() throws(StoreError) { try inner?.probeWritable() }

  func append(_ batch: [IncomingEvent]) throws(StoreError) -> [AppendOutcome] {
    entered.signal()
    gate?.wait()
    let failure = state.withLock { state -> StoreError? in
      state.transactions.append(batch.count)
      return state.failures.isEmpty ? nil : state.failures.removeFirst()
    }
    if let failure { throw failure }
    return try inner?.append(batch) ?? batch.map { _ in .accepted }
  }
}
