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
