internal import HTTPServer
internal import Receiver

extension Settings {
  /// Reads and checks everything. Precedence: flag, environment, file, default. Only the value that counts is checked;
  /// a key that does not exist is a problem wherever it stands.
  ///
  /// - Parameter requiring: without `.secrets`, those that are usable are taken and no lack of them is a problem.
  static func load(
    _ inputs: ConfigurationInputs, requiring: Set<Requirement> = []
  ) throws(ConfigurationProblems) -> Settings {
    var loading = Loading(inputs, requiring: requiring)
    loading.readKeys()
    loading.readSecrets()
    loading.readHandlers()
    loading.readForwardAuth()
    loading.readAuthorities()
    loading.compare()
    guard loading.problems.isEmpty else { throw ConfigurationProblems(problems: loading.problems) }
    var settings = loading.settings
    settings.receiver.dynamic = settings.dynamic.configuration(authorities: settings.authorities)
    settings.notices = settings.doubts(inputs, loading.values)
    return settings
  }

  private struct Loading {
    let inputs: ConfigurationInputs
    let requiring: Set<Requirement>
    var settings = Settings()
    var problems: [ConfigurationProblem] = []
    /// Of every key that is set anywhere, the value that counts.
    let values: [String: ConfigurationValue]
    let fileIsBroken: Bool

    init(_ inputs: ConfigurationInputs, requiring: Set<Requirement>) {
      self.inputs = inputs
      self.requiring = requiring
      let file = Self.file(of: inputs)
      let environment = ConfigurationEnvironment(inputs.environment)
      let flags = ConfigurationFlags(inputs.flags)
      let dynamic = DynamicVariables(inputs)
      problems = (file?.problems ?? []) + environment.problems + flags.problems + dynamic.problems
      problems += inputs.unreadable.map { ConfigurationProblem($0, nil, "is not UTF-8 text") }
      fileIsBroken = file?.isBroken ?? false
      values = (file?.values ?? [:])
        .merging(dynamic.values) { $1 }
        .merging(environment.values) { $1 }
        .merging(flags.values) { $1 }
    }

    private static func file(of inputs: ConfigurationInputs) -> ConfigurationFile? {
      guard let name = inputs.file ?? inputs.environment["REVOKED_CONFIG"] else { return nil }
      do {
        return ConfigurationFile(try inputs.readFile(name), name: name)
      } catch {
        return ConfigurationFile(error, name: name, namedBy: inputs.file == nil ? "REVOKED_CONFIG" : "--config")
      }
    }

    mutating func readKeys() {
      for key in Settings.keys where key.name != "secrets" {
        let value = values[key.name] ?? standard(for: key).map { .text($0, .standard) }
        settings.entries.append(Entry(key.name, value, isSecret: key.isSecret))
        guard let value else { continue }
        do {
          try key.read(value, &settings)
        } catch {
          problems.append(ConfigurationProblem(key.name, value.source, error.text))
        }
      }
    }

    /// The one default that depends on where we run: people read a terminal, machines read the rest.
    private func standard(for key: ConfigurationKey<Settings>) -> String? {
      if key.name == "log.format", inputs.logsToTerminal { return "text" }
      return key.standard
    }

    mutating func readSecrets() {
      let variables = SecretVariables(inputs)
      var source = variables.source
      var found: [ConfigurationProblem] = variables.problems
      settings.receiver.secrets = variables.secrets
      if variables.variables.isEmpty {
        source = values["secrets"]?.source ?? .standard
        do {
          if let value = values["secrets"] { settings.receiver.secrets = try ValueParser.secrets.parse(value) }
        } catch {
          found.append(ConfigurationProblem("secrets", source, error.text))
        }
        if values["secrets"] == nil, !fileIsBroken {
          found.append(ConfigurationProblem("secrets", nil, "there is none; \(Settings.howToSetSecrets)"))
        }
      }
      if requiring.contains(.secrets) { problems += found }
      let count = settings.receiver.secrets.count
      settings.entries.insert(Entry(key: "secrets", shown: count == 0 ? .none : .secrets(count), source: source), at: 0)
    }

    mutating func readHandlers() {
      var handlers: [String: [String: ConfigurationValue]] = [:]
      for (key, value) in values {
        let parts = key.split(separator: ".", maxSplits: 2).map(String.init)
        if parts.count == 3, parts[0] == "handlers" { handlers[parts[1], default: [:]][parts[2]] = value }
      }
      for (name, values) in handlers.sorted(by: { $0.key < $1.key }) {
        let reading = HandlerReading(name, values, readFile: inputs.readFile)
        settings.entries += reading.entries
        if let definition = reading.definition { settings.handlers.append(definition) }
        problems += reading.problems
      }
    }

    /// The verification needs to know whose tokens are ours.
    mutating func readForwardAuth() {
      settings.receiver.forwardAuth = settings.forwardAuth.configuration(
        settings.dynamic, authorities: settings.authorities)
      settings.receiver.environmentID = settings.dynamic.environmentID
      guard settings.forwardAuth.verifies, settings.dynamic.environmentID == nil else { return }
      guard !problems.contains(where: { $0.key == "dynamic.environment-id" }) else { return }
      problems.append(
        ConfigurationProblem(
          "forward-auth.verify", values["forward-auth.verify"]?.source,
          "needs dynamic.environment-id, which says whose tokens are ours"))
    }

    /// A file that is missing or holds no certificate would fail each request.
    mutating func readAuthorities() {
      guard let path = settings.authorities else { return }
      do throws(Mismatch) {
        guard try inputs.readFile(path).contains("-----BEGIN ") else { throw Mismatch("\(path) holds no certificate") }
      } catch {
        problems.append(ConfigurationProblem("tls.ca-file", values["tls.ca-file"]?.source, error.text))
      }
    }

    /// What is wrong only when two keys are seen together.
    mutating func compare() {
      let address = settings.receiver.privateListen
      if case .tcp(_, port: 0) = address { return }
      guard address == settings.receiver.listen else { return }
      problems.append(
        ConfigurationProblem(
          "private-listen", values["private-listen"]?.source ?? values["listen"]?.source,
          "\(address) is the address of listen too; each listener needs its own"))
    }
  }
}
