internal import ArgumentParser
internal import Foundation
internal import RevocationStore

struct DiscardDeadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "discard", abstract: "Forgets dead letters: the handlers never get these events.",
    discussion: """
      The events stay, and their sessions stay revoked; what could not be decoded is deleted with its body. Exit 1 if an id is no \
      dead letter's, and then nothing is done.

      With --handler alone, a handler that the server has not any more (as of its last start or SIGHUP) is forgotten with it: also the events \
      that wait for it. If it comes back, it begins with new events.
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
  private func forget(_ name: String, _ store: RevocationStore) throws(StoreError) -> Int? {
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
