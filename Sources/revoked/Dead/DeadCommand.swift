internal import ArgumentParser
internal import Receiver
internal import Storage

struct DeadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "dead", abstract: "Shows, replays and discards dead letters: what handlers gave up.",
    discussion: """
      Works while the server runs and when it does not. A dead letter's id is the event's number and the handler's \
      name, such as 17/audit; 17 alone means all of event 17, and what could not be decoded has no handler.
      """,
    subcommands: [
      ListDeadCommand.self, ShowDeadCommand.self, ReplayDeadCommand.self, DiscardDeadCommand.self,
    ])
}

struct ListDeadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists dead letters in the order of their events.")

  @OptionGroup var filter: DeadFilterOptions
  @OptionGroup var listing: ListingOptions
  @OptionGroup var options: ConfigurationOptions

  func run() throws {
    try options.withStore(.inspect) { store, _ in
      let filter = try filter.known(to: store)
      var list = Listing(listing, header: DeadLetterReport.header, none: "no dead letters")
      var last: DeadLetterID?
      while let limit = list.next {
        let letters = try store.deadLetters(filter, after: last, limit: limit)
        last = letters.last?.id ?? last
        try list.show(letters.map(DeadLetterReport.init))
      }
    }
  }
}

struct ShowDeadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Shows dead letters with all that is known of them, and the events' bodies.",
    discussion: "A body may hold personal data. Exit 1 if one of the ids is no dead letter's.")

  @Argument(help: ArgumentHelp("As `dead list` shows it.", valueName: "id"), transform: DeadLetterArgument.parse)
  var ids: [DeadLetterID]

  @Flag(help: "For machines: one line of JSON each.")
  var json = false

  @OptionGroup var options: ConfigurationOptions

  func run() throws {
    try options.withStore(.inspect) { store, _ in
      for (index, letter) in try DeadLetterArgument.letters(of: ids, store).enumerated() {
        let body = BodyText(bytes: try store.event(letter.id.event)?.body ?? [])
        try WithBody(report: DeadLetterReport(letter), body: body).show(json: json, isFirst: index == 0)
      }
    }
  }
}

extension DeadLetterReport: Report {
  private static let idWidth = 20

  static let header = "ID".column(idWidth) + " " + "DIED".column(24) + " ATTEMPTS ERROR"

  /// The error is whole. So is the id, as it is what the other commands take: a long one has a line of its own.
  var rows: [String] {
    let id = id.visible()
    let rest = " \(diedAt) " + "\(attempts)".column(8) + " " + error.visible()
    if id.utf8.count <= Self.idWidth { return [id.column(Self.idWidth) + rest] }
    return [id, "".column(Self.idWidth) + rest]
  }

  /// A line each, for people.
  var lines: [String] {
    var fields: [(String, String?)] = [
      ("id", id), ("name", name), ("received", receivedAt), ("died", diedAt), ("error", error),
      ("attempts", handler == nil ? nil : "\(attempts)"),
    ]
    fields += attemptTimes.map { ("failed", $0) }
    return fields.compactMap { name, value in value.map { name.column(9) + $0.visible() } }
  }
}
