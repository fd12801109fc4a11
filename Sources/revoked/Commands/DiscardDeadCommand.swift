internal import ArgumentParser
internal import Receiver
internal import RevocationStore

struct DiscardDeadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "discard", abstract: "Forgets dead letters: the handlers never get these events.",
    discussion: """
      The events stay, and their sessions stay revoked; what could not be decoded is deleted with its body. Exit 1 if an id is no \
      dead letter's, and then nothing is done.
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
      work = try selection.forEach(in: store) { ids throws(StoreError) in try store.discard(ids) }
      try store.close()
    } catch let error as StoreError {
      throw Failure.io(error)
    }
    print(
      json
        ? JSONLine.text(["discarded": work.done])
        : "discarded \(work.done) dead letter\(work.done == 1 ? "" : "s")")
  }
}
