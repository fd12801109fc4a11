internal import ArgumentParser
internal import Receiver
internal import Storage

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
    try checkDatabase(settings)
    let (secrets, handlers) = (settings.receiver.secrets.count, settings.handlers.count)
    try Output.line(
      "configuration ok: \(secrets) secret\(secrets == 1 ? "" : "s"), \(handlers) handler\(handlers == 1 ? "" : "s")"
    )
    for notice in settings.notices { Notice.say("notice: \(notice)") }
    noticeLostHandlers(settings)
  }

  /// What a database says that only its operator can mend, as `serve` would meet it. One that is away is no fault of
  /// the configuration: where it is checked there may be none.
  private func checkDatabase(_ settings: Settings) throws {
    do throws(StoreError) {
      try settings.receiver.checkDatabase(makesStore: settings.newStore == .make)
    } catch {
      let source = settings.entries.first { $0.key == "store" }?.source
      switch error {
      case .misconfigured(let path, let cause):
        throw Failure.configuration(ConfigurationProblem("store", source, "cannot work with \(path): \(cause)"))
      case .schema:
        throw Failure.configuration(ConfigurationProblem("store", source, "\(error)"))
      default: break
      }
      Notice.say("notice: store: the database was not checked: \(error)")
    }
  }

  /// A handler that is renamed is a new one, and the old one's events wait for good. No reason to refuse the
  /// configuration.
  private func noticeLostHandlers(_ settings: Settings) {
    do throws(StoreError) {
      let store = try settings.receiver.openStore(.inspect)
      let names = Set(settings.handlers.map(\.name))
      for (name, backlog) in try store.backlogs().sorted(by: { $0.key < $1.key }) where !names.contains(name) {
        Notice.say(
          "notice: the store knows a handler \(name.visible()) (\(backlog.pending) pending, \(backlog.dead) dead), "
            + "which the configuration lacks: was it removed or renamed?")
      }
    } catch .missing {
      // No server ever ran here.
    } catch .unreachable {
      // Said already.
    } catch {
      Notice.say("notice: the handlers were not compared with the store's: \(error)")
    }
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
    try Output.write(json ? settings.listingJSON : settings.listing)
  }
}
