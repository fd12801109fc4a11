internal import Logging
internal import Receiver
internal import Signature

/// The whole configuration, checked, and where each part of it came from.
struct Settings: Sendable {
  /// What the caller cannot do without. `check` or `healthcheck` must not fail for the lack of a secret.
  enum Requirement: Sendable {
    case secrets
  }

  /// What a start does where there is no store.
  enum NewStore: String, Sendable {
    case make, refuse
  }

  var receiver = ReceiverConfiguration(secrets: [])
  var dynamic = DynamicSettings()
  var forwardAuth = ForwardAuthSettings()
  var newStore = NewStore.make
  /// The file with the certificate authorities that everything that goes out trusts; nil: the system's.
  var authorities: String?
  var logLevel = Logger.Level.info
  var logFormat = LogFormat.json
  /// By name.
  var handlers: [HandlerDefinition] = []
  /// Every key: the table's order first, then the handlers' by name.
  var entries: [Entry] = []
  /// What is allowed, and hardly meant.
  var notices: [ConfigurationProblem] = []

  static let howToSetSecrets =
    "set DYNAMIC_WEBHOOK_SECRET, name a file in DYNAMIC_WEBHOOK_SECRET_FILE, or list them under secrets in the file"
}

extension Settings {
  /// The keys whose values differ from those that the process runs with, and that a reload leaves alone.
  func keysThatNeedRestart(since running: Settings) -> [String] {
    let old = Dictionary(running.entries.map { ($0.key, $0.shown) }) { first, _ in first }
    return entries.filter { entry in
      switch entry.key {
      case "secrets", "log.level", "tls.ca-file", "dynamic.api-token": false
      // Two secrets are shown alike.
      case "private-token": !receiver.privateToken.isSame(as: running.receiver.privateToken)
      case let key: !key.hasPrefix("handlers.") && old[key] != entry.shown
      }
    }
    .map(\.key)
  }
}

extension Secret? {
  fileprivate func isSame(as other: Secret?) -> Bool {
    guard let self, let other else { return self == nil && other == nil }
    return other.withBytes { self.matches($0) }
  }
}
