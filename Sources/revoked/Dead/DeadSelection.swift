internal import ArgumentParser
internal import DynamicEvents
internal import Storage

/// What the commands that change dead letters have in common.
struct DeadChangeOptions: ParsableArguments {
  @OptionGroup var selection: DeadSelectionOptions

  @Flag(help: "For machines: the result as one line of JSON.")
  var json = false

  @OptionGroup var options: ConfigurationOptions
}

/// Which dead letters to change: some by name, some by what they have in common, or all. Nothing given is not all.
struct DeadSelectionOptions: ParsableArguments {
  @Argument(help: ArgumentHelp("As `dead list` shows it.", valueName: "id"), transform: DeadLetterArgument.parse)
  var ids: [DeadLetterID] = []

  @OptionGroup var filter: DeadFilterOptions

  @Flag(help: "All there are; with --handler or --since all of those.")
  var all = false

  /// The handler all of whose dead letters are meant.
  var wholeHandler: String? { filter.since == nil ? filter.handler : nil }

  func validate() throws {
    let isFiltered = all || !filter.isEmpty
    guard !ids.isEmpty || isFiltered else {
      throw ValidationError("say which dead letters: ids, --handler, --since or --all")
    }
    guard ids.isEmpty || !isFiltered else {
      throw ValidationError("ids go with no --handler, --since or --all")
    }
  }

  /// Throws when an id is no dead letter's, or the store does not know the handler. Then nothing was done.
  func work(in store: any Store) throws -> DeadLetterWork {
    if ids.isEmpty { return try DeadLetterWork(try filter.known(to: store), in: store) }
    return DeadLetterWork(try DeadLetterArgument.letters(of: ids, store).map(\.id), in: store)
  }
}

/// Which dead letters, by what they have in common.
struct DeadFilterOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Those of this handler.", valueName: "name"))
  var handler: String?

  @Option(
    help: ArgumentHelp("Those that died since: 2026-10-01T09:00:00Z, or how long ago, such as 2h.", valueName: "time"),
    transform: PastTime.parse)
  var since: Timestamp?

  var isEmpty: Bool { handler == nil && since == nil }

  /// A name that is misspelt must not pass for a handler without dead letters.
  func known(to store: any Store) throws -> DeadLetterFilter {
    if let handler, try store.backlogs()[handler] == nil {
      throw Failure.no("the store knows no handler \(handler.visible())")
    }
    return DeadLetterFilter(handler: handler, since: since)
  }
}

/// A dead letter's id on the command line.
enum DeadLetterArgument {
  static func parse(_ text: String) throws -> DeadLetterID {
    guard let id = DeadLetterID(text) else {
      throw ValidationError(
        "a dead letter is named by its event and its handler, such as 17/audit, or 17 for all of it")
    }
    return id
  }

  /// What an id means: one dead letter, or all of an event. Throws, after naming each, when any of them is none.
  static func letters(of ids: [DeadLetterID], _ store: any Store) throws -> [DeadLetter] {
    var found: [DeadLetter] = []
    var missing: [DeadLetterID] = []
    for id in ids {
      // As many as there are handlers.
      let letters = try store.deadLetters(
        DeadLetterFilter(handler: id.handler, event: id.event), after: nil, limit: 10_000)
      if letters.isEmpty { missing.append(id) }
      found += letters.filter { letter in !found.contains { $0.id == letter.id } }
    }
    guard missing.isEmpty else {
      throw Failure.no(missing.map { "there is no dead letter \($0.description.visible())" }.joined(separator: "\n"))
    }
    return found
  }
}
