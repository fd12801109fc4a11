internal import ArgumentParser
internal import DynamicEvents
internal import Foundation

/// How much of a list, and for whom.
struct ListingOptions: ParsableArguments {
  @Option(help: ArgumentHelp("How many at most.", valueName: "n"))
  var limit = 50

  @Flag(help: "However many there are.")
  var all = false

  @Flag(help: "For machines: one line of JSON each.")
  var json = false

  func validate() throws {
    guard limit >= 1 else { throw ValidationError("--limit must be at least 1") }
  }
}

/// A list as it is being shown: page by page, with its header, and a word on what was left out.
///
///     while let limit = list.next { try list.show(read(atMost: limit)) }
struct Listing {
  /// Rows that are read at a time, each with a body.
  private static let page = 100
  /// Where people read, a row is one line. Elsewhere nothing is cut off.
  private static let columns = isatty(STDOUT_FILENO) == 1 ? 80 : nil

  /// How many to read next, or one to see whether there is more; nil: the list is done.
  private(set) var next: Int? = 1
  private let options: ListingOptions
  private let header: String
  private let none: String
  private var shown = 0

  init(_ options: ListingOptions, header: String, none: String) {
    self.options = options
    self.header = header
    self.none = none
    next = size
  }

  /// - Parameter page: at most as many as `next` said, and none at the end.
  mutating func show(_ page: [some Report]) throws {
    guard !page.isEmpty else {
      next = nil
      if shown == 0, !options.json { try Output.line(none) }
      return
    }
    if isFull {
      next = nil
      if !options.json { Notice.say("there are more: --limit N, or --all") }
      return
    }
    if shown == 0, !options.json { try Output.line(header) }
    for item in page {
      for line in options.json ? [JSON.line(item)] : item.rows.map(Self.cut) { try Output.line(line) }
    }
    shown += page.count
    next = isFull ? 1 : size
  }

  private var isFull: Bool { !options.all && shown >= options.limit }

  private var size: Int { options.all ? Self.page : min(Self.page, options.limit - shown) }

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
