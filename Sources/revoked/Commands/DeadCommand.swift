internal import ArgumentParser

struct DeadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dead", abstract: "Shows, replays and discards dead letters: what handlers gave up.",
    discussion: """
      Works while the server runs and when it does not. A dead letter's id is the event's number and the handler's name, such as \
      17/audit; 17 alone means all of event 17, and what could not be decoded has no handler.
      """,
    subcommands: [
      ListDeadCommand.self, ShowDeadCommand.self, ReplayDeadCommand.self, DiscardDeadCommand.self,
    ])
}
