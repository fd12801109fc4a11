internal import DynamicEvents

/// Tells when the pages that follow can only be older than is asked for.
///
/// The order of the API's lists is not documented. Only a list that has come newest first so far, without an exception,
/// is left before its end, and only two pages late. One in another order, or with items that have no time, is read to
/// the end.
struct PageOrder {
  /// Pages in a row that held nothing new enough.
  private static let certain = 2

  private let start: Timestamp
  private var last: Timestamp?
  private var isDescending = true
  private var hasFallen = false
  private var oldPages = 0

  init(start: Timestamp) {
    self.start = start
  }

  /// - Parameter times: of the items of a page, in its order.
  /// - Returns: whether the list may be left.
  mutating func isPast(_ times: [Timestamp?]) -> Bool {
    for time in times {
      guard let time else {
        isDescending = false
        continue
      }
      if let last {
        if time > last { isDescending = false }
        if time < last { hasFallen = true }
      }
      last = time
    }
    oldPages = times.allSatisfy { $0.map { $0 < start } ?? false } ? oldPages + 1 : 0
    return isDescending && hasFallen && oldPages >= Self.certain
  }
}
