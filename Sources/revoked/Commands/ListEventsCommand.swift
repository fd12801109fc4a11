internal import ArgumentParser
internal import DynamicEvents
internal import Receiver
internal import RevocationStore

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
