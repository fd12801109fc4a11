internal import ArgumentParser
internal import DynamicEvents
internal import Receiver
internal import RevocationStore
internal import Signature

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
