internal import ArgumentParser
internal import Receiver
internal import RevocationStore
internal import Storage

struct BackupCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup", abstract: "Copies the store to a file, also while the server runs.",
    discussion: """
      The copy is the store as of one moment, whole and on disk when it appears under its name. To restore it: stop \
      the server, put the file as revoked.sqlite into an empty folder, and start the server with that folder as \
      `data`. What Dynamic sent since `lastReceived` is not in it: have it redelivered from then on. `check`, `events` \
      and `dead list` look into it with `--data FILE`.
      """)

  @Argument(help: ArgumentHelp("The file to write; it must not be there yet.", valueName: "file"))
  var file: String

  @Flag(help: "Replace the file if it is there.")
  var force = false

  @OptionGroup var options: ConfigurationOptions

  func run() throws {
    let settings = try options.loadStore()
    if let store = settings.receiver.store {
      throw Failure.no("\(store) is copied by PostgreSQL's own tools: pg_dump, or pg_basebackup for the whole server")
    }
    do {
      let store = try RevocationStore(data: settings.receiver.data, mode: .inspect)
      let copied = try store.backUp(to: file, replacing: force)
      try store.close()
      let last = copied.lastReceivedAt.map { " lastReceived=\($0)" } ?? ""
      try Output.line("\(file) sessions=\(copied.revocations) events=\(copied.events)\(last)")
    } catch let error as StoreError where error == .exists(path: file) && !force {
      throw Failure.io("\(error); --force replaces it")
    } catch let error as StoreError {
      throw Failure.io(error)
    }
  }
}

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
