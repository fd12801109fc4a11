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
    let settings = try options.load()
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

struct InitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init", abstract: "Makes the store where there is none.",
    discussion:
      "Exit 0 also when it is there already; then nothing changes. `serve` needs it where new-store is refuse.")

  @OptionGroup var options: ConfigurationOptions

  func run() throws {
    let settings = try options.load()
    let data = settings.receiver.data
    if let store = settings.receiver.store { return try MigrateCommand.migrate(store, settings.receiver) }
    do {
      if let path = try Self.existing(data) {
        return try Output.line("the store is there already: \(path)")
      }
      let store = try RevocationStore(data: data, mode: .serve, retention: settings.receiver.retention)
      try store.close()
      try Output.line("made the store \(store.path)")
    } catch let error as StoreError {
      throw Failure.io(error)
    }
  }

  /// The store's path, or nil where a server would make a new one.
  private static func existing(_ data: String) throws(StoreError) -> String? {
    do throws(StoreError) {
      return try RevocationStore(data: data, mode: .inspect).path
    } catch {
      switch error {
      case .missing, .schema(path: _, found: 0, known: _): return nil
      default: throw error
      }
    }
  }
}
