internal import ArgumentParser
internal import Receiver
internal import RevocationStore

struct BackupCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup", abstract: "Copies the store to a file, also while the server runs.",
    discussion: """
      The copy is the store as of one moment, whole and on disk when it appears under its name. To restore it: stop the server, \
      put the file as revoked.sqlite into an empty folder, and start the server with that folder as `data`. What Dynamic sent since \
      `lastReceived` is not in it: have it redelivered from then on. `check`, `events` and `dead list` look into it with `--data FILE`.
      """)

  @Argument(help: ArgumentHelp("The file to write; it must not be there yet.", valueName: "file"))
  var file: String

  @Flag(help: "Replace the file if it is there.")
  var force = false

  @OptionGroup var options: ConfigurationOptions

  func run() throws {
    try options.withStore(.inspect) { store, _ in
      do {
        let copied = try store.backUp(to: file, replacing: force)
        let last = copied.lastReceivedAt.map { " lastReceived=\($0)" } ?? ""
        try Output.line("\(file) sessions=\(copied.revocations) events=\(copied.events)\(last)")
      } catch let error as StoreError where error == .exists(path: file) && !force {
        throw Failure.io("\(error); --force replaces it")
      }
    }
  }
}
