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
    let work = try dead.apply { store, ids throws(StoreError) in try store.replay(ids, at: Timestamp(Date())) }
    if dead.json {
      print(JSONLine.text(["replayed": work.done, "undecodable": work.undecodable]))
    } else {
      print("replayed \(work.done) dead letter\(work.done == 1 ? "" : "s")")
    }
    if work.undecodable > 0 {
      throw Failure.no("\(work.undecodable) stay dead: this release cannot decode them either")
    }
  }
}
