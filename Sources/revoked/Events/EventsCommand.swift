internal import ArgumentParser
internal import DynamicEvents
internal import Receiver
internal import RevocationStore
internal import Signature

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
    let settings = try options.load()
    do throws(StoreError) {
      let store = try RevocationStore(data: settings.receiver.data, mode: .inspect)
      let filter = EventFilter(since: since, name: name)
      var last: Int64?
      try listing.show(header: EventReport.header, none: "no events") { limit throws(StoreError) in
        let events = try store.latestEvents(filter, before: last, limit: limit)
        last = events.last?.seq ?? last
        return events.map { EventReport($0, settings.handlers) }
      } rows: { event in
        [event.row]
      } line: { event in
        JSONLine.text(event)
      }
    } catch {
      throw Failure.io(error)
    }
  }
}

struct ShowEventsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Shows events with all that is known of them, and their bodies.",
    discussion: """
      A body may hold personal data. Exit 1 if one of the events is not stored.

      How handlers stand with it: waiting, retrying, dead; not wanted, by the handler's `events` as they are configured now; done: delivered, or \
      a dead letter that was discarded.
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
    let settings = try options.load()
    var found: [EventSummary] = []
    var missing: [String] = []
    do throws(StoreError) {
      let store = try RevocationStore(data: settings.receiver.data, mode: .inspect)
      for text in events {
        if let event = try Self.find(text, store) { found.append(event) } else { missing.append(text) }
      }
    } catch {
      throw Failure.io(error)
    }
    for (index, event) in found.enumerated() {
      let (report, body) = (EventReport(event, settings.handlers), BodyText(bytes: event.body))
      if json {
        print(JSONLine.text(WithBody(report: report, body: body)))
      } else {
        print((index > 0 ? "\n" : "") + report.lines.joined(separator: "\n") + "\n\n" + body.visible)
      }
    }
    if !missing.isEmpty {
      throw Failure.no(missing.map { "there is no event \($0.visible())" }.joined(separator: "\n"))
    }
  }

  private static func find(_ text: String, _ store: RevocationStore) throws(StoreError) -> EventSummary? {
    if let seq = Int64(text) { return try store.event(seq) }
    // OpenSSL without SHA-256 would not have let anyone store an event by such a key.
    guard let key = try? EventKey(eventId: text.utf8.span) else { return nil }
    return try store.event(key)
  }
}
