internal import HTTPMessage
internal import Storage
internal import Synchronization

/// One answer of the feed: the entries behind a position, and the line that says that they are all.
///
/// Read as it is sent, so that a caller ten million entries behind costs one page of memory. It ends where the store
/// was when the answer began, so that a slow caller comes to an end as well while more is committed.
///
/// `@unchecked Sendable` as a part of a `Response`, which may go anywhere: only the feed's loop calls it.
final class FeedAnswer: ResponseBody, @unchecked Sendable {
  private let pages: FeedPages
  private let context: ResponderContext
  private(set) var position: Int64
  private var remaining: Int
  /// The newest number when the answer began.
  private let target: Int64
  /// Of the first page: see `FeedPage.departures`.
  private var departures: Int64?
  private var isStreaming = false
  /// No entry has been appended.
  private(set) var isEmpty = true

  init(_ pages: FeedPages, _ context: ResponderContext, after position: Int64, limit: Int?) {
    self.pages = pages
    self.context = context
    self.position = position
    remaining = limit ?? .max
    target = context.store.lastRevocation
  }

  deinit {
    if isStreaming { pages.streaming.wrappingSubtract(1, ordering: .relaxed) }
  }

  /// Counts this as an answer that is sent part by part; false if there are as many already.
  func stream(atMost most: Int) -> Bool {
    guard pages.streaming.load(ordering: .relaxed) < most else { return false }
    pages.streaming.wrappingAdd(1, ordering: .relaxed)
    isStreaming = true
    return true
  }

  func appendNext(to output: inout [UInt8]) -> BodyProgress {
    let page: EncodedFeedPage
    do throws(StoreError) {
      page = try pages.page(at: FeedPages.Place(position: position, rows: min(remaining, FeedPages.rows)))
    } catch {
      context.lookUpFailed(error)
      return .failed
    }
    output.append(contentsOf: page.lines.span)
    isEmpty = isEmpty && page.count == 0
    position = page.end
    remaining -= page.count
    departures = departures ?? page.departures
    // An entry that moved behind the target may be missing; where none has moved since, none is.
    if page.isLast || (position >= target && departures == page.departures) {
      appendEnd("complete", to: &output)
    } else if remaining <= 0 || position >= target {
      appendEnd("limit", to: &output)
    } else {
      return .more
    }
    return .last
  }

  /// By its absence a caller sees that an answer was cut, whatever the version of HTTP and what stands between.
  private func appendEnd(_ end: StaticString, to output: inout [UInt8]) {
    output.append(contentsOf: #"{"end":""#)
    output.append(contentsOf: end)
    output.append(contentsOf: #"","cursor":""#)
    context.store.cursor(at: position).append(to: &output)
    output.append(contentsOf: "\"}\n")
  }
}
