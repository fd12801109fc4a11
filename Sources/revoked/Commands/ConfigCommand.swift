internal import ArgumentParser
internal import Receiver

struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Checks or shows the configuration.",
    subcommands: [CheckConfigCommand.self, ShowConfigCommand.self])
}

struct CheckConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Checks the configuration as `serve` would, and starts nothing.")

  @OptionGroup var options: ConfigurationOptions

  func run() throws {
    let settings = try options.load(requiring: [.secrets])
    let secrets = settings.receiver.secrets.count
    print("configuration ok: \(secrets) secret\(secrets == 1 ? "" : "s"), \(settings.handlers.count) handlers")
  }
}

struct ShowConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Prints every key as it is resolved and where it came from; secrets are redacted.")

  @Flag(help: "For machines.")
  var json = false

  @OptionGroup var options: ConfigurationOptions

  func run() throws {
    let settings = try options.load()
    print(json ? settings.listingJSON : settings.listing, terminator: "")
  }
}
