internal import ArgumentParser
internal import DynamicEvents
internal import Foundation

/// How much of a list, and for whom.
struct ListingOptions: ParsableArguments {
  /// Rows that are read at a time, each with a body.
  static let page = 100
  /// Where people read, a row is one line. Elsewhere nobody has to look a second time for what was cut off.
  private static let columns = isatty(STDOUT_FILENO) == 1 ? 80 : nil

  @Option(help: ArgumentHelp("How many at most.", valueName: "n"))
  var limit = 50

  @Flag(help: "However many there are.")
  var all = false

  @Flag(help: "For machines: one line of JSON each.")
  var json = false

  func validate() throws {
    guard limit >= 1 else { throw ValidationError("--limit must be at least 1") }
  }

  /// Prints one page after the other, and says when there is more. `next` answers what follows what it answered before, at most so many.
  func show<Item, Failure: Error>(
    header: String, none: String, next: (Int) throws(Failure) -> [Item], rows: (Item) -> [String],
    line: (Item) -> String
  ) throws(Failure) {
    var shown = 0
    while true {
      let left = all ? Self.page : min(Self.page, limit - shown)
      let items = try next(max(left, 1))
      if items.isEmpty { break }
      if left == 0 {
        if !json { Notice.say("there are more: --limit N, or --all") }
        break
      }
      if shown == 0, !json { print(header) }
      for item in items {
        for line in json ? [line(item)] : rows(item).map(Self.cut) { print(line) }
      }
      shown += items.count
    }
    if shown == 0, !json { print(none) }
  }

  /// Cuts the last column only: those before it are narrower.
  private static func cut(_ row: String) -> String { columns.map { row.fitted(to: $0) } ?? row }
}

/// A time as people write it on a command line: RFC 3339, or how long ago.
enum PastTime {
  static func parse(_ text: String) throws -> Timestamp {
    if let time = Timestamp(text) { return time }
    guard let written = WrittenDuration(text) else {
      throw ValidationError("a time is written as 2026-10-01T09:00:00Z, or how long ago it was: 30m, 2h, 7d")
    }
    let (seconds, attoseconds) = written.duration.components
    // A written duration is less than 2^63 milliseconds, and now is after 1970.
    return Timestamp(
      milliseconds: Timestamp(Date()).milliseconds - (seconds * 1000 + attoseconds / 1_000_000_000_000_000))
  }
}
