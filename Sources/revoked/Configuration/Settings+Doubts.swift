internal import DynamicEvents
internal import HTTPServer
internal import Handlers
internal import Receiver
internal import Signature

extension Settings {
  /// What is allowed because somebody may mean it, a line each.
  ///
  /// - Parameter values: of every key that is set, the value that counts.
  func doubts(
    _ inputs: ConfigurationInputs, _ values: [String: ConfigurationValue]
  ) -> [ConfigurationProblem] {
    var doubts = secretDoubts(inputs, values)
    func doubt(_ key: String, _ text: String) {
      doubts.append(ConfigurationProblem(key, entries.first { $0.key == key }?.source, text))
    }
    // The default is the longest that a session lives (DynamicProtocol.md).
    if receiver.retention < ReceiverConfiguration(secrets: []).retention {
      doubt("retention", "a session's JWT lives up to 30 days; one that is forgotten sooner is let through again")
    }
    if receiver.privateToken == nil, !receiver.privateListen.isLocal {
      doubt("private-listen", "other hosts may reach it, and it asks for no token; set private-token")
    }
    if dynamic.token != nil, dynamic.environmentID == nil {
      doubt("dynamic.api-token", "nothing is asked of Dynamic without dynamic.environment-id")
    }
    if let text = receiver.store?.doubt { doubt("store", text) }
    // Dynamic does not document how often it may be asked.
    if dynamic.checkEvery > .zero, dynamic.checkEvery < .seconds(10) {
      doubt("dynamic.check-every", "Dynamic limits how often its API is called; 10s or more is kind")
    }
    for (key, value) in values.sorted(by: { $0.key < $1.key }) where key != "secrets" {
      guard case .text(let text) = value.content, let slip = SecretReading.slip(inValue: text) else { continue }
      doubts.append(ConfigurationProblem(key, value.source, slip))
    }
    for handler in handlers {
      for pattern in handler.events {
        guard let text = KnownEvents.doubt(pattern) else { continue }
        doubt("handlers.\(handler.name).events", text)
      }
      if case .exec(let program, _) = handler.kind, let text = Self.doubt(program: program, inputs) {
        doubt("handlers.\(handler.name).command", text)
      }
    }
    return doubts
  }

  /// What does not look like one of Dynamic's secrets, and files of secrets that others may read.
  private func secretDoubts(
    _ inputs: ConfigurationInputs, _ values: [String: ConfigurationValue]
  ) -> [ConfigurationProblem] {
    var doubts: [ConfigurationProblem] = []
    let source = entries.first { $0.key == "secrets" }?.source
    for (index, secret) in receiver.secrets.enumerated() {
      let which = receiver.secrets.count == 1 ? "" : "number \(index + 1) of \(receiver.secrets.count) "
      for text in SecretReading.doubts(secret.withBytes { bytes in bytes.indices.map { bytes[$0] } }) {
        doubts.append(ConfigurationProblem("secrets", source, which + text))
      }
    }
    func doubtFile(_ path: String, _ key: String?, _ source: ConfigurationSource?) {
      guard inputs.isReadableByAll(path) else { return }
      doubts.append(
        ConfigurationProblem(key, source, "every user of this machine may read \(path), which holds a secret"))
    }
    for variable in ["DYNAMIC_WEBHOOK_SECRET_FILE", "DYNAMIC_API_TOKEN_FILE"] {
      if let path = inputs.environment[variable] { doubtFile(path, variable, nil) }
    }
    for (key, value) in values.sorted(by: { $0.key < $1.key }) where key.hasSuffix(".secret-file") {
      if case .text(let path) = value.content { doubtFile(path, key, value.source) }
    }
    let isInFile = values.contains { key, value in
      guard case .file = value.source else { return false }
      return ConfigurationNames.meaning(of: key) == .key(isSecret: true)
    }
    if isInFile, let path = inputs.file ?? inputs.environment["REVOKED_CONFIG"] { doubtFile(path, nil, nil) }
    return doubts
  }

  /// It may be installed later, and each attempt looks anew.
  private static func doubt(program: String, _ inputs: ConfigurationInputs) -> String? {
    let shown = program.debugDescription
    let folders = (inputs.environment["PATH"] ?? ExecHandler.standardPath).split(separator: ":")
    let paths = program.contains("/") ? [program] : folders.map { "\($0)/\(program)" }
    guard let path = paths.first(where: { inputs.isExecutable($0) == true }) else {
      guard program.contains("/") else { return "no folder of PATH has a program \(shown)" }
      if inputs.isExecutable(program) == false { return "\(shown) is nothing that this user may run" }
      return "\(shown) does not exist" + (SecretReading.slip(inValue: program).map { ": it \($0)" } ?? "")
    }
    guard let line = inputs.interpreterLine(path) else { return nil }
    // The kernel takes the carriage return for a part of the interpreter's name, and says that there is no such file.
    if line.utf8.last == UInt8(ascii: "\r") {
      return "\(shown) has Windows line ends (CRLF), so that it cannot be run; write it with LF"
    }
    let interpreter = line.dropFirst(2).split(separator: " ").first.map(String.init) ?? ""
    guard inputs.isExecutable(interpreter) != true else { return nil }
    return "\(shown) is a script for \(interpreter.debugDescription), which cannot be run"
  }
}

extension ListenAddress {
  fileprivate var isLocal: Bool {
    switch self {
    case .unix, .inherited: true
    case .tcp(let host, _): host.isLoopbackHost
    }
  }
}

/// The events that Dynamic documents (DynamicProtocol.md), to tell a slip from a choice. New ones appear at any time,
/// so what is not here is a doubt, and no error.
enum KnownEvents {
  private static let names: Set<String> = [
    EventNames.sessionRevoked, EventNames.adminSessionRevoked, "user.session.created", "user.created", "user.updated",
    "user.deleted", "user.merged", "waas.policy.violation",
  ]
  /// Too many to list.
  private static let families = ["wallet.", "admin."]
  /// The most letters that are a slip where any name may be right.
  private static let fewSlips = 2

  /// nil: the pattern matches something that is known.
  static func doubt(_ text: String) -> String? {
    let pattern = EventPattern(text)
    if names.contains(where: pattern.matches) { return nil }
    if text == EventNames.ping { return "a ping is answered and not stored, so no handler gets one" }
    let nearest = ConfigurationNames.nearest(
      to: text, in: names.union(["user.*", "user.session.*", "admin.*", "admin.user.session.*", "wallet.*"]))
    if families.contains(where: { text.hasPrefix($0) }) {
      guard let nearest, nearest != text, ConfigurationNames.slips(from: text, to: nearest) <= fewSlips else {
        return nil
      }
    }
    return "\(text.debugDescription) matches no event that is known" + (nearest.map { "; did you mean \($0)?" } ?? "")
  }
}
