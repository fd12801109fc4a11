internal import ArgumentParser
internal import Receiver
internal import RevocationStore

struct BackupCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup", abstract: "Copies the store to a file, also while the server runs.",
    discussion: """
      The copy is the store as of one moment, whole and on disk when it appears under its name. To restore it: stop the server, \
      put the file as revoked.sqlite into an empty folder, and start the server with that folder as `data`.
      """)

  @Argument(help: ArgumentHelp("The file to write; it must not be there yet.", valueName: "file"))
  var file: String

  @Flag(help: "Replace the file if it is there.")
  var force = false

  @OptionGroup var options: ConfigurationOptions

  func run() throws {
    let settings = try options.load()
    do throws(StoreError) {
      let store = try RevocationStore(data: settings.receiver.data, mode: .inspect)
      let copied = try store.backUp(to: file, replacing: force)
      print("\(file) sessions=\(copied.revocations) events=\(copied.events)")
    } catch .exists(path: file) where !force {
      throw Failure.io("\(StoreError.exists(path: file)); --force replaces it")
    } catch {
      throw Failure.io(error)
    }
  }
}
