/// Which opening of the store gave out which numbers of the feed.
///
/// A cursor must not outlive the history that it belongs to: once an older backup is restored, numbers that were given
/// out before are given out again, to other sessions, and a client that asks for what comes after the old number would
/// miss them. So every opening draws a random id for the numbers that it will give out, the ids are kept in the store,
/// and a cursor carries its own. After a restore the ids differ from the backup's end on.
package struct FeedEpochs: Sendable {
  /// The first number of each, growing; and its id.
  private var epochs: [(first: Int64, id: UInt32)] = []

  package static let none = FeedEpochs([])

  /// - Parameter epochs: in the order of their first numbers.
  package init(_ epochs: [(first: Int64, id: UInt32)]) {
    self.epochs = epochs
  }

  /// The newest one's id.
  package var last: UInt32? { epochs.last?.id }

  package mutating func append(_ id: UInt32, first: Int64) { epochs.append((first, id)) }

  package func id(of seq: Int64) -> UInt32? {
    var (low, high) = (0, epochs.count)
    while low < high {
      let middle = (low + high) / 2
      if epochs[middle].first <= seq { low = middle + 1 } else { high = middle }
    }
    return low == 0 ? nil : epochs[low - 1].id
  }
}
