internal import ArgumentParser
internal import DynamicEvents
internal import Foundation
internal import RevocationStore

struct ReplayDeadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay", abstract: "Puts dead letters back in their handlers' queues, as if they were new.",
    discussion: """
      A running server begins at once, otherwise the next one does. What could not be decoded is decoded again; if this release can, its \
      session is revoked and it becomes a new event for every handler. Exit 1 if an id is no dead letter's, and then nothing \
      is done; or if something still cannot be decoded.
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
