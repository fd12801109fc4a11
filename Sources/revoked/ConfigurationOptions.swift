internal import ArgumentParser
internal import Foundation
internal import Receiver
internal import Storage

/// The flags that every command takes which reads the configuration.
struct ConfigurationOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The configuration file; else $REVOKED_CONFIG, else none.", valueName: "file"))
  var config: String?

  @Option(help: ArgumentHelp("The public listener: HOST:PORT, [v6]:PORT or unix:/path.", valueName: "address"))
  var listen: String?

  @Option(help: ArgumentHelp("The private listener.", valueName: "address"))
  var privateListen: String?

  @Option(help: ArgumentHelp("The folder of the embedded store; to look at a backup, its file.", valueName: "folder"))
  var data: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Any key of the configuration, such as limits.body=1MiB. Repeatable.", valueName: "key=value"))
  var settings: [String] = []

  func validate() throws {
    for setting in settings where !setting.contains("=") {
      throw ValidationError("--set \(setting): write it as KEY=VALUE")
    }
  }

  var inputs: ConfigurationInputs {
    var inputs = ConfigurationInputs()
    inputs.flags = settings.map { setting in
      let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return (String(parts[0]), String(parts.dropFirst().first ?? ""))
    }
    for (key, value) in [("listen", listen), ("private-listen", privateListen), ("data", data)] {
      if let value { inputs.flags.append((key, value)) }
    }
    inputs.environment = ProcessInfo.processInfo.environment
    inputs.unreadable = ConfigurationInputs.unreadableVariables
    inputs.file = config
    inputs.logsToTerminal = isatty(STDERR_FILENO) == 1
    return inputs
  }

  /// The settings, or every problem on stderr and exit 78.
  ///
  /// - Parameter known: `inputs` as they were read before.
  func load(_ known: ConfigurationInputs? = nil, requiring: Set<Settings.Requirement> = []) throws -> Settings {
    do throws(ConfigurationProblems) {
      return try Settings.load(known ?? inputs, requiring: requiring)
    } catch {
      throw Failure.configuration(error)
    }
  }

  /// Has `body` work with the store that is configured. What the store fails with ends the command with 74.
  func withStore<Result>(
    _ mode: StoreMode, _ body: (any Store, Settings) throws -> Result
  ) throws -> Result {
    let settings = try load()
    return try settings.withStore(mode) { try body($0, settings) }
  }
}

extension Settings {
  /// The same, for a command that has loaded the settings: a file may be a pipe, which can be read once.
  func withStore<Result>(
    _ mode: StoreMode, _ body: (any Store) throws -> Result
  ) throws -> Result {
    do {
      let store = try receiver.openStore(mode)
      let result = try body(store)
      try store.close()
      return result
    } catch let error as StoreError {
      throw Failure.store(error)
    }
  }

  func withStore<Result>(
    _ mode: StoreMode, _ body: (any Store) async throws -> Result
  ) async throws -> Result {
    do {
      let store = try receiver.openStore(mode)
      let result = try await body(store)
      try store.close()
      return result
    } catch let error as StoreError {
      throw Failure.store(error)
    }
  }
}
