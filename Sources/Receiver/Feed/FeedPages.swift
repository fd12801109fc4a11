internal import DynamicEvents
internal import HTTPMessage
internal import HTTPServer
internal import Storage
internal import Synchronization

/// A page of the feed as it goes over the wire.
struct EncodedFeedPage {
  let lines: [UInt8]
  /// Lines.
  let count: Int
  /// See `FeedPage`.
  let end: Int64
  let isLast: Bool
  let departures: Int64
}

/// Reads and encodes pages once for all callers at the same place. Used on one loop.
final class FeedPages {
  struct Place: Hashable {
    var position: Int64
    /// At most so many.
    var rows: Int
  }

  /// About 30 kB, and a read of some 100 µs.
  static let rows = 200
  /// Two megabytes.
  private static let most = 64
  /// In nanoseconds. What follows a page that is not the last only ever gets fewer rows, and what is read too often
  /// harms nothing; but a store that fails must show.
  private static let life: UInt64 = 1_000_000_000

  /// Answers that are sent part by part at present. They may go with their responses, on any thread.
  let streaming = Atomic(0)
  private let context: ResponderContext
  private let loop: EventLoop
  private var kept: [Place: (page: EncodedFeedPage, readAt: UInt64)] = [:]
  /// Oldest first.
  private var order: [Place] = []
  /// The last pages of this round, which are good until something is committed.
  private var ends: [Place: EncodedFeedPage] = [:]
  private var endsAt: Int64 = -1

  init(_ context: ResponderContext, _ loop: EventLoop) {
    self.context = context
    self.loop = loop
  }

  func page(at place: Place) throws(StoreError) -> EncodedFeedPage {
    if let (page, readAt) = kept[place], loop.now &- readAt < Self.life { return page }
    let last = context.store.lastRevocation
    if last != endsAt { ends = [:] }
    endsAt = last
    if let page = ends[place] { return page }
    let page = try read(place)
    if page.isLast { ends[place] = page } else { keep(page, at: place) }
    return page
  }

  /// Another process may commit, unnoticed at first.
  func roundEnded() {
    if !ends.isEmpty { ends = [:] }
  }

  private func read(_ place: Place) throws(StoreError) -> EncodedFeedPage {
    let page = try context.store.feed(after: place.position, limit: place.rows, at: context.now())
    var lines: [UInt8] = []
    lines.reserveCapacity(page.entries.count * 172)
    for entry in page.entries { entry.appendLine(to: &lines) }
    return EncodedFeedPage(
      lines: lines, count: page.entries.count, end: page.end, isLast: page.isLast, departures: page.departures)
  }

  private func keep(_ page: EncodedFeedPage, at place: Place) {
    if kept.updateValue((page, loop.now), forKey: place) == nil { order.append(place) }
    if order.count > Self.most { kept[order.removeFirst()] = nil }
  }
}

extension FeedEntry {
  /// `{"cursor":"…","sessionId":"…","revokedAt":"…","expiresAt":"…"}`, or for a cut-off
  /// `{"cursor":"…","userId":"…","before":"…","expiresAt":"…"}`, and a line feed. None of the values needs escaping.
  fileprivate func appendLine(to output: inout [UInt8]) {
    output.append(addingCapacity: 208) { line in
      line.append(#"{"cursor":""#)
      cursor.append(to: &line)
      switch subject {
      case .session(let session, let revokedAt):
        line.append(#"","sessionId":""#)
        session.append(to: &line)
        line.append(#"","revokedAt":""#)
        revokedAt.append(to: &line)
      case .cutOff(let cutOff):
        line.append(cutOff.kind == .user ? #"","userId":""# : #"","environmentId":""#)
        cutOff.id.appendUUID(to: &line)
        line.append(#"","before":""#)
        cutOff.before.append(to: &line)
      }
      line.append(#"","expiresAt":""#)
      expiresAt.append(to: &line)
      line.append("\"}\n")
    }
  }
}

extension OutputSpan<UInt8> {
  fileprivate mutating func append(_ text: StaticString) {
    // A StaticString's UTF-8 is there for the life of the process.
    for index in 0..<text.utf8CodeUnitCount { append(unsafe text.utf8Start[index]) }
  }
}

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
