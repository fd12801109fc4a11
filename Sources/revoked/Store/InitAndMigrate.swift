internal import ArgumentParser
internal import Receiver
internal import RevocationStore
internal import Storage

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

struct MigrateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "migrate", abstract: "Makes or upgrades the tables of a store on PostgreSQL, as their owner.",
    discussion: """
      For a database in which `serve` may read and write, and not make tables. Run it before the first start and \
      before a newer version; nodes of the version before go on meanwhile. Exit 0 also when there is nothing to do. An \
      embedded store is migrated by `serve`.
      """)

  @OptionGroup var options: ConfigurationOptions

  func run() throws {
    let receiver = try options.load().receiver
    guard let store = receiver.store else {
      throw Failure.configuration("store names no database; an embedded store is migrated by `revoked serve`")
    }
    try Self.migrate(store, receiver)
  }

  static func migrate(_ store: StoreURL, _ receiver: ReceiverConfiguration) throws {
    var numbers: (from: Int, to: Int)?
    let isNew: Bool
    do throws(StoreError) {
      isNew = try receiver.migrateStore(store) { notice in
        if case .migrating(let from, let to) = notice { numbers = (from, to) }
      }
    } catch {
      throw Failure.store(error)
    }
    if isNew {
      try Output.line("made the store \(store)")
    } else if let numbers {
      try Output.line("migrated \(store) from schema \(numbers.from) to \(numbers.to)")
    } else {
      try Output.line("the store is there already, and needs no migration: \(store)")
    }
  }
}
