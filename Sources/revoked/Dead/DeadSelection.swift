internal import ArgumentParser
internal import DynamicEvents
internal import RevocationStore

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

  /// Hands over the ids that are meant, some at a time. Answers how many were done, and those that were not.
  func forEach(
    in store: RevocationStore, _ body: ([DeadLetterID]) throws(StoreError) -> [DeadLetterID]
  ) throws -> DeadLetterWork {
    if !ids.isEmpty {
      let letters = try DeadLetterArgument.letters(of: ids, store).map(\.id)
      var work = DeadLetterWork(total: letters.count)
      try work.run(letters, body)
      return work
    }
    let filter = try filter.known(to: store)
    // What dies meanwhile is for the next time, or this would not end.
    let last = try store.tally().lastEvent
    var work = DeadLetterWork(total: try store.deadLetterCount(filter))
    var previous: DeadLetterID?
    while true {
      let page = try store.deadLetters(filter, after: previous, limit: 5000).map(\.id).filter { $0.event <= last }
      guard let end = page.last else { return work }
      try work.run(page, body)
      previous = end
    }
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
  func known(to store: RevocationStore) throws -> DeadLetterFilter {
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

  /// What an id means: one dead letter, or all of an event. Throws, after naming each, when any of them is none: then nothing was done.
  static func letters(of ids: [DeadLetterID], _ store: RevocationStore) throws -> [DeadLetter] {
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
