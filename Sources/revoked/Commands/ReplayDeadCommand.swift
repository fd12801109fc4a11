internal import ArgumentParser
internal import DynamicEvents
internal import Foundation
internal import Receiver
internal import RevocationStore

struct ReplayDeadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay", abstract: "Puts dead letters back in their handlers' queues, as if they were new.",
    discussion: """
      A running server begins at once, otherwise the next one does. What could not be decoded is decoded again; if this release can, its \
      session is revoked and it becomes a new event for every handler. Exit 1 if an id is no dead letter's, and then nothing \
      is done; or if something still cannot be decoded.
      """)

  @OptionGroup var selection: DeadSelectionOptions

  @Flag(help: "For machines: the result as one line of JSON.")
  var json = false

  @OptionGroup var options: ConfigurationOptions

  func run() throws {
    let settings = try options.load()
    let work: DeadLetterWork
    do {
      let store = try RevocationStore(
        data: settings.receiver.data, mode: .amend, retention: settings.receiver.retention)
      work = try selection.forEach(in: store) { ids throws(StoreError) in
        try store.replay(ids, at: Timestamp(Date()))
      }
      try store.close()
    } catch let error as StoreError {
      throw Failure.io(error)
    }
    if json {
      print(JSONLine.text(["replayed": work.done, "undecodable": work.undecodable]))
    } else {
      print("replayed \(work.done) dead letter\(work.done == 1 ? "" : "s")")
    }
    if work.undecodable > 0 {
      throw Failure.no("\(work.undecodable) stay dead: this release cannot decode them either")
    }
  }
}
