internal import ArgumentParser
internal import Receiver
internal import Storage

struct CopyStoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "copy", abstract: "Takes one store's whole content to a place that has none yet.",
    discussion: """
      From an embedded store (its data folder) to one on PostgreSQL (its URL), or back; events, sessions, cut-offs, \
      handlers, dead letters and the feed's cursors stay what they are. Stop every receiver on either first: what one \
      acknowledges meanwhile stays behind. The role makes the tables where they are missing. Put a password into \
      PGPASSFILE rather than into the URL, which other users of this machine see.
      """)

  @Option(help: "A data folder, or postgres://….")
  var from: String

  @Option(help: "A data folder that does not exist yet or is empty, or postgres://… of a database without a store.")
  var to: String

  func run() throws {
    let (source, target) = (StoreAddress(from), StoreAddress(to))
    let tally: Tally
    do throws(StoreError) {
      tally = try source.copy(to: target)
    } catch {
      throw Failure.store(error)
    }
    try Output.line("copied \(tally.events) events and \(tally.revocations) sessions from \(source) to \(target)")
  }
}
