internal import ArgumentParser
internal import Receiver
internal import RevocationStore

struct InitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init", abstract: "Makes the store where there is none.",
    discussion:
      "Exit 0 also when it is there already; then nothing changes. `serve` needs it where new-store is refuse.")

  @OptionGroup var options: ConfigurationOptions

  func run() throws {
    let settings = try options.load()
    let data = settings.receiver.data
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
