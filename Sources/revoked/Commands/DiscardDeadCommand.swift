internal import ArgumentParser
internal import RevocationStore

struct DiscardDeadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "discard", abstract: "Forgets dead letters: the handlers never get these events.",
    discussion: """
      The events stay, and their sessions stay revoked; what could not be decoded is deleted with its body. Exit 1 if an id is no \
      dead letter's, and then nothing is done.
      """)

  @OptionGroup var dead: DeadChangeOptions

  func run() throws {
    let work = try dead.apply { store, ids throws(StoreError) in try store.discard(ids) }
    print(
      dead.json
        ? JSONLine.text(["discarded": work.done])
        : "discarded \(work.done) dead letter\(work.done == 1 ? "" : "s")")
  }
}
