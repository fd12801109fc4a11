internal import Synchronization

/// Counts answers, each of which comes once, and tells when all are there.
final class RollCall: Sendable {
  private let missing: Atomic<Int>
  private let complete: @Sendable () -> Void

  init(of count: Int, complete: @escaping @Sendable () -> Void) {
    missing = Atomic(count)
    self.complete = complete
  }

  func answer() {
    if missing.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { complete() }
  }
}
