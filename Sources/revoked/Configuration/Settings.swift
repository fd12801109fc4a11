internal import Logging
internal import Receiver

/// The whole configuration, checked, and where each part of it came from.
struct Settings: Sendable {
  /// What the caller cannot do without. `check` or `healthcheck` must not fail for the lack of a secret.
  enum Requirement: Sendable {
    case secrets
  }

  var receiver = ReceiverConfiguration(secrets: [])
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
