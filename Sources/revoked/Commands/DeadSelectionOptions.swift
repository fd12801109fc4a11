internal import ArgumentParser
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
