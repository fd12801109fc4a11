internal import ArgumentParser
internal import Foundation
internal import HTTPServer
internal import Outgoing
internal import Receiver
internal import Signature
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

  /// The settings for a command that works with a store: what `--data` names is meant, whatever else says that the
  /// store is a database.
  func loadStore() throws -> Settings {
    var settings = try load()
    if data != nil { settings.receiver.store = nil }
    return settings
  }

  /// Has `body` work with the store that is configured. What the store fails with ends the command with 74.
  func withStore<Result>(
    _ mode: StoreMode, _ body: (any Store, Settings) throws -> Result
  ) throws -> Result {
    let settings = try loadStore()
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

/// The flags of a command that makes requests to other hosts.
struct OutgoingOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("The certificate authorities to trust instead of the system's (tls.ca-file).", valueName: "file")
  )
  var cacert: String?

  @OptionGroup var options: ConfigurationOptions

  func load(requiring: Set<Settings.Requirement> = []) throws -> Settings {
    var options = options
    if let cacert { options.settings.append("tls.ca-file=\(cacert)") }
    return try options.load(requiring: requiring)
  }
}

extension OutgoingRequest {
  /// A request to a listener of our own, from the same host.
  ///
  /// Returns `nil` for a port that the kernel picks, and for an inherited socket: neither can be known here.
  init?(_ method: Method, _ path: String, at address: ListenAddress) {
    switch address {
    case .inherited, .tcp(_, port: 0): return nil
    case .unix(let socket):
      self.init(method, "http://localhost" + path)
      socketPath = socket
    case .tcp(let host, let port):
      // A wildcard is where to listen, not where to connect. `::` may take IPv4, and a host may take it without having
      // ::1: libcurl tries both addresses of localhost.
      let reachable = host == "0.0.0.0" || host == "*" ? "127.0.0.1" : host == "::" ? "localhost" : host
      self.init(method, ListenAddress.tcp(host: reachable, port: port).url + path)
    }
  }
}

extension Settings {
  /// A request to the running server's private listener, with the private token where one is configured; `nil` for a
  /// port that the kernel picked and that is not written down.
  func request(_ method: OutgoingRequest.Method, _ path: String) -> OutgoingRequest? {
    guard var request = OutgoingRequest(method, path, at: runningPrivateListener) else { return nil }
    if let token = receiver.privateToken {
      // A copy that goes with the request; the process ends soon.
      let text = token.withBytes { bytes in String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self) }
      request.fields.append(("X-Revoked-Token", text))
    }
    return request
  }
}
