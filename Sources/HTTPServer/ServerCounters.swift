package import Synchronization

/// What a listener counts; written by its loops, read by what shows metrics.
package final class ServerCounters: Sendable {
  /// Open now.
  package let connections = Atomic<Int>(0)
  /// Taken since the start.
  package let accepted = Atomic<Int>(0)
  /// Answers by status code, from 100 to 599.
  private let answers = InlineArray<500, Atomic<Int>> { _ in Atomic(0) }

  package init() {}

  func count(_ status: UInt16) {
    guard (100..<600).contains(status) else { return }
    answers[Int(status) - 100].wrappingAdd(1, ordering: .relaxed)
  }

  /// The codes that were sent at least once, in order.
  package var answersByStatus: [(code: Int, count: Int)] {
    answers.indices.compactMap { index in
      let count = answers[index].load(ordering: .relaxed)
      return count == 0 ? nil : (index + 100, count)
    }
  }
}
