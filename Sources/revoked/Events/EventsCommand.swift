internal import ArgumentParser
internal import DynamicEvents
internal import Receiver
internal import Signature
internal import Storage

struct EventsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "events", abstract: "Shows the events that were received, from the store itself.",
    discussion: "Works while the server runs and when it does not.",
    subcommands: [ListEventsCommand.self, ShowEventsCommand.self])
}

struct ListEventsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists events, the newest first, and how their handlers stand with them.")

  @Option(
    help: ArgumentHelp("Received since: 2026-10-01T09:00:00Z, or how long ago, such as 2h.", valueName: "time"),
    transform: PastTime.parse)
  var since: Timestamp?

  @Option(help: ArgumentHelp("Of this name only, such as user.session.revoked.", valueName: "event"))
  var name: String?

  @OptionGroup var listing: ListingOptions
  @OptionGroup var options: ConfigurationOptions

  func run() throws {
    try options.withStore(.inspect) { store, settings in
      let filter = EventFilter(since: since, name: name)
      var list = Listing(listing, header: EventReport.header, none: "no events")
      var last: Int64?
      while let limit = list.next {
        let events = try store.latestEvents(filter, before: last, limit: limit)
        last = events.last?.seq ?? last
        try list.show(events.map { EventReport($0, settings.handlers) })
      }
    }
  }
}

struct ShowEventsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Shows events with all that is known of them, and their bodies.",
    discussion: """
      A body may hold personal data. Exit 1 if one of the events is not stored.

      How handlers stand with it: waiting, retrying, dead; not wanted, by the handler's `events` as they are \
      configured now; done: delivered, or a dead letter that was discarded.
      """)

  @Argument(help: ArgumentHelp("The number that `events list` shows, or an eventId.", valueName: "event"))
  var events: [String]

  @Flag(help: "For machines: one line of JSON each.")
  var json = false

  @OptionGroup var options: ConfigurationOptions

  func validate() throws {
    guard !events.isEmpty else { throw ValidationError("say which event") }
  }

  func run() throws {
    var missing: [String] = []
    try options.withStore(.inspect) { store, settings in
      var shown = 0
      for text in events {
        guard let event = try Self.find(text, store) else {
          missing.append(text)
          continue
        }
        let report = WithBody(report: EventReport(event, settings.handlers), body: BodyText(bytes: event.body))
        try report.show(json: json, isFirst: shown == 0)
        shown += 1
      }
    }
    if !missing.isEmpty {
      throw Failure.no(missing.map { "there is no event \($0.visible())" }.joined(separator: "\n"))
    }
  }

  private static func find(_ text: String, _ store: any Store) throws(StoreError) -> EventSummary? {
    if let seq = Int64(text) { return try store.event(seq) }
    // OpenSSL without SHA-256 would not have let anyone store an event by such a key.
    guard let key = try? EventKey(eventId: text.utf8.span) else { return nil }
    return try store.event(key)
  }
}

extension EventReport {
  /// - Parameter handlers: as they are configured, which tells those that do not want the event.
  init(_ event: EventSummary, _ handlers: [HandlerDefinition]) {
    self.init(event) { name in handlers.first { $0.name == name }?.wants(event.name) }
  }
}

extension EventReport: Report {
  static let header = "EVENT".column(10) + " " + "RECEIVED".column(24) + " " + "NAME".column(26) + " HANDLERS"

  /// The last column is whatever length it is.
  var rows: [String] {
    let columns = [
      "\(seq)".column(10), receivedAt.column(24), (name ?? "(undecodable)").visible().column(26), standing,
    ]
    return [columns.joined(separator: " ")]
  }

  /// How many handlers are how far; those that are done only if all are.
  private var standing: String {
    if handlers.isEmpty { return "-" }
    let open = ["dead", "retrying", "waiting"].compactMap { state -> String? in
      let count = handlers.count { $0.state == state }
      return count == 0 ? nil : "\(count) \(state)"
    }
    return open.isEmpty ? "done" : open.joined(separator: ", ")
  }

  /// A line each, for people.
  var lines: [String] {
    var fields: [(String, String?)] = [
      ("seq", "\(seq)"), ("name", name), ("problem", problem), ("source", source), ("eventId", eventId),
      ("sessionId", sessionId), ("received", receivedAt), ("occurred", occurredAt),
    ]
    fields += messageIds.map { ("messageId", $0) }
    fields += handlers.map { ("handler", $0.text) }
    return fields.compactMap { name, value in value.map { name.column(11) + $0.visible() } }
  }
}

extension EventReport.Handler {
  fileprivate var text: String {
    var text = "\(handler): \(state)"
    if let attempts { text += " after \(attempts) attempt\(attempts == 1 ? "" : "s")" }
    if let retryAt { text += ", next at \(retryAt)" }
    if let error { text += ": \(error)" }
    return text
  }
}

extension BodyText {
  /// For people: what is no text shows as U+FFFD.
  var visible: String { String(decoding: bytes, as: UTF8.self).visible(keepingLines: true) }
}

/// What a command shows of a stored thing: an object for machines, lines and rows for people.
protocol Report: Encodable {
  /// Of a list, an entry's rows under the header. Mostly one.
  var rows: [String] { get }
  /// All that is known, a line each.
  var lines: [String] { get }
}

extension WithBody where Content: Report {
  func show(json: Bool, isFirst: Bool) throws {
    if json { return try Output.line(JSON.line(self)) }
    try Output.line((isFirst ? "" : "\n") + report.lines.joined(separator: "\n") + "\n\n" + body.visible)
  }
}
