internal import ArgumentParser
internal import DynamicEvents
internal import RevocationStore

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
