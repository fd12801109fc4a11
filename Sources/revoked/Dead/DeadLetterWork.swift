internal import Foundation
internal import Storage

/// The dead letters that a command changes, some at a time, beside a server that writes to the same store.
///
///     while let ids = try work.next() { work.finish(try store.discard(ids)) }
///
/// What was done before a failure stays done.
struct DeadLetterWork {
  /// Some milliseconds of the store's writer.
  private static let chunk = 200
  private static let page = 5000

  private(set) var done = 0
  /// This release cannot decode them either.
  private(set) var undecodable = 0

  private let store: any Store
  /// What is read page by page; nil: all of it waits already.
  private let filter: DeadLetterFilter?
  /// What dies meanwhile is for the next time, or the work would not end.
  private let lastEvent: Int64
  private var lastRead: DeadLetterID?
  private var waiting: ArraySlice<DeadLetterID>
  private var chunk: [DeadLetterID] = []
  private var passed = 0
  private var began = ContinuousClock.now
  private var progress: ProgressBar

  /// These, and no others.
  init(_ ids: [DeadLetterID], in store: any Store) {
    self.store = store
    filter = nil
    lastEvent = 0
    waiting = ids[...]
    progress = ProgressBar(total: ids.count)
  }

  /// All that are there by now.
  init(_ filter: DeadLetterFilter, in store: any Store) throws(StoreError) {
    self.store = store
    self.filter = filter
    lastEvent = try store.tally().lastEvent
    waiting = []
    progress = ProgressBar(total: try store.deadLetterCount(filter))
  }

  /// The next ones, and nil at the end. Each time but the first it waits, so that four fifths of the writer's time are
  /// the server's.
  mutating func next() throws(StoreError) -> [DeadLetterID]? {
    let took = began.duration(to: .now)
    if waiting.isEmpty, let filter {
      waiting = try store.deadLetters(filter, after: lastRead, limit: Self.page).map(\.id)
        .filter { $0.event <= lastEvent }[...]
      lastRead = waiting.last ?? lastRead
    }
    if waiting.isEmpty {
      progress.clear()
      return nil
    }
    if passed > 0 {
      Thread.sleep(forTimeInterval: min(max(took * 4, .milliseconds(5)), .seconds(1)) / .seconds(1))
    }
    chunk = Array(waiting.prefix(Self.chunk))
    waiting = waiting.dropFirst(chunk.count)
    began = .now
    return chunk
  }

  /// - Parameter changed: of the last ones, those that are dead no more.
  mutating func finish(_ changed: [DeadLetterID]) {
    done += changed.count
    undecodable += Set(chunk).subtracting(changed).count { $0.handler == nil }
    passed += chunk.count
    progress.show(passed)
  }
}
