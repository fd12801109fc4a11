internal import ArgumentParser
internal import DynamicEvents
internal import Foundation
internal import Storage

struct ReplayDeadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay", abstract: "Puts dead letters back in their handlers' queues, as if they were new.",
    discussion: """
      A running server begins at once, otherwise the next one does. What could not be decoded is decoded again; if \
      this release can, its session is revoked and it becomes a new event for every handler. Exit 1 if an id is no \
      dead letter's, and then nothing is done; or if something still cannot be decoded.
      """)

  @OptionGroup var dead: DeadChangeOptions

  func run() throws {
    let undecodable = try dead.options.withStore(.amend) { store, _ in
      var work = try dead.selection.work(in: store)
      var handlers: Set<String> = []
      while let ids = try work.next() {
        let replayed = try store.replay(ids, at: Timestamp(Date()))
        handlers.formUnion(replayed.compactMap(\.handler))
        work.finish(replayed)
      }
      if dead.json {
        try Output.line(JSON.line(["replayed": work.done, "undecodable": work.undecodable]))
      } else {
        try Output.line("replayed \(work.done) dead letter\(work.done == 1 ? "" : "s")")
      }
      for name in handlers.sorted() where try store.isRemoved(name) {
        Notice.say(
          "the server has no handler \(name): what was put back waits until it has, "
            + "or until `revoked dead discard --handler \(name)`")
      }
      return work.undecodable
    }
    if undecodable > 0 { throw Failure.no("\(undecodable) stay dead: this release cannot decode them either") }
  }
}

struct DiscardDeadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "discard", abstract: "Forgets dead letters: the handlers never get these events.",
    discussion: """
      The events stay, and their sessions stay revoked; what could not be decoded is deleted with its body. Exit 1 if \
      an id is no dead letter's, and then nothing is done.

      With --handler alone, a handler that the server has not any more (as of its last start or SIGHUP) is forgotten \
      with it: also the events that wait for it. If it comes back, it begins with new events.
      """)

  @OptionGroup var dead: DeadChangeOptions

  func run() throws {
    try dead.options.withStore(.amend) { store, _ in
      var work = try dead.selection.work(in: store)
      while let ids = try work.next() { work.finish(try store.discard(ids)) }
      let name = dead.selection.wholeHandler
      let forgotten = try name.flatMap { try forget($0, store) }
      if dead.json {
        var result = ["discarded": work.done]
        result["forgotten"] = forgotten
        return try Output.line(JSON.line(result))
      }
      try Output.line("discarded \(work.done) dead letter\(work.done == 1 ? "" : "s")")
      if let forgotten, let name {
        try Output.line(
          "forgot the handler \(name.visible()), for which \(forgotten) event\(forgotten == 1 ? "" : "s") waited")
      }
    }
  }

  /// Returns for how many events the handler was still to come; nil if a server has it.
  private func forget(_ name: String, _ store: any Store) throws(StoreError) -> Int? {
    guard try store.isRemoved(name) else { return nil }
    let pending = try store.backlogs()[name]?.pending
    while true {
      let began = ContinuousClock.now
      // Some milliseconds of the store's writer, and four fifths of its time are the server's.
      guard try store.forgetSome(ofRemoved: name, limit: 1000) else { return pending }
      Thread.sleep(forTimeInterval: began.duration(to: .now) * 4 / .seconds(1))
    }
  }
}

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
