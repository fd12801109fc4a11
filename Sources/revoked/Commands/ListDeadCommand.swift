internal import ArgumentParser
internal import DynamicEvents
internal import Receiver
internal import RevocationStore

struct ListDeadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Lists dead letters in the order of their events.")

  @OptionGroup var filter: DeadFilterOptions
  @OptionGroup var listing: ListingOptions
  @OptionGroup var options: ConfigurationOptions

  func run() throws {
    let settings = try options.load()
    do {
      let store = try RevocationStore(data: settings.receiver.data, mode: .inspect)
      let filter = try filter.known(to: store)
      var last: DeadLetterID?
      try listing.show(header: DeadLetterReport.header, none: "no dead letters") { limit throws(StoreError) in
        let letters = try store.deadLetters(filter, after: last, limit: limit)
        last = letters.last?.id ?? last
        return letters.map(DeadLetterReport.init)
      } rows: { letter in
        letter.rows
      } line: { letter in
        JSONLine.text(letter)
      }
    } catch let error as StoreError {
      throw Failure.io(error)
    }
  }
}
