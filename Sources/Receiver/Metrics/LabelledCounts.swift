internal import Synchronization

/// A counter for each value of a label. Made from the label's own cases, so that none can lack its counter.
struct LabelledCounts<Label: MetricLabel>: Sendable {
  private final class Count: Sendable {
    let value = Atomic(0)
  }

  // `allCases` makes an array each time.
  private let labels = Array(Label.allCases)
  private let counts = Label.allCases.map { _ in Count() }

  func add(_ number: Int = 1, to label: Label) {
    guard let index = labels.firstIndex(of: label) else { return }
    counts[index].value.wrappingAdd(number, ordering: .relaxed)
  }

  subscript(label: Label) -> Int {
    labels.firstIndex(of: label).map { counts[$0].value.load(ordering: .relaxed) } ?? 0
  }
}
