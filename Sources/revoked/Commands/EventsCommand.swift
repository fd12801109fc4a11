internal import ArgumentParser

struct EventsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "events", abstract: "Shows the events that were received, from the store itself.",
    discussion: "Works while the server runs and when it does not.",
    subcommands: [ListEventsCommand.self, ShowEventsCommand.self])
}
