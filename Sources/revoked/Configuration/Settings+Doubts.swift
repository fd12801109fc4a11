internal import DynamicEvents
internal import HTTPServer
internal import Handlers
internal import Receiver

extension Settings {
  /// What is allowed because somebody may mean it, a line each.
  func doubts(_ inputs: ConfigurationInputs) -> [ConfigurationProblem] {
    var doubts: [ConfigurationProblem] = []
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
    // Dynamic does not document how often it may be asked.
    if dynamic.checkEvery > .zero, dynamic.checkEvery < .seconds(10) {
      doubt("dynamic.check-every", "Dynamic limits how often its API is called; 10s or more is kind")
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

  /// It may be installed later, and each attempt looks anew.
  private static func doubt(program: String, _ inputs: ConfigurationInputs) -> String? {
    let shown = program.debugDescription
    guard program.contains("/") else {
      let folders = (inputs.environment["PATH"] ?? ExecHandler.standardPath).split(separator: ":")
      let isFound = folders.contains { inputs.isExecutable("\($0)/\(program)") == true }
      return isFound ? nil : "no folder of PATH has a program \(shown)"
    }
    return switch inputs.isExecutable(program) {
    case true?: nil
    case false?: "\(shown) is nothing that this user may run"
    case nil: "\(shown) does not exist"
    }
  }
}

extension ListenAddress {
  fileprivate var isLocal: Bool {
    switch self {
    case .unix, .inherited: true
    case .tcp(let host, _): host == "localhost" || host == "::1" || host.hasPrefix("127.")
    }
  }
}

/// The events that Dynamic documents (DynamicProtocol.md), to tell a slip from a choice. New ones appear at any time, so what is not here is a doubt,
/// and no error.
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
