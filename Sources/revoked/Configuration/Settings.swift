internal import Foundation
internal import Logging
internal import Receiver
internal import Signature

/// The whole configuration, checked, and where each part of it came from.
struct Settings: Sendable {
  /// What the caller needs. `check` or `healthcheck` must not fail for the lack of a secret.
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
      case "store": receiver.store != running.receiver.store
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

extension Settings {
  /// A key as `config show` prints it.
  struct Entry: Sendable, Equatable {
    enum Shown: Sendable, Equatable {
      case none
      case text(String)
      case list([String])
      /// Nothing of a secret leaves, not even its length.
      case secrets(Int)
    }

    let key: String
    let shown: Shown
    let source: ConfigurationSource
  }
}

extension Settings.Entry {
  init(_ key: String, _ value: ConfigurationValue?, isSecret: Bool) {
    self.key = key
    source = value?.source ?? .standard
    shown =
      switch value?.content {
      case nil: .none
      case .text where isSecret: .secrets(1)
      case .list(let list) where isSecret: .secrets(list.count)
      // What follows may be a token.
      case .text(let text) where key.hasSuffix("url") && text.contains("?"):
        .text(text.prefix { $0 != "?" } + "?(redacted)")
      case .text(let text): .text(text)
      case .list(let list): .list(list)
      }
  }
}

extension Settings {
  /// What `config show` prints: `key = value   # source`, one line a key, no secret.
  var listing: String {
    let lines = entries.map { ("\($0.key) = \($0.text)", $0.source.origin) }
    // One long line must not push all the others' sources off the screen.
    let width = lines.map(\.0.count).filter { $0 <= 60 }.max() ?? 0
    return lines.map { line, origin in
      line + String(repeating: " ", count: max(0, width - line.count)) + "   # \(origin)\n"
    }.joined()
  }

  /// The same for machines: an object by key, sorted; `value` is a text, an array or null, a secret has a `count`
  /// instead.
  var listingJSON: String {
    JSON.document(Dictionary(entries.map { ($0.key, $0) }) { first, _ in first }) + "\n"
  }
}

extension Settings.Entry {
  fileprivate var text: String {
    switch shown {
    case .none: "(none)"
    case .text(let text): text.contains { $0.isNewline } ? text.debugDescription : text
    case .list(let list): "[" + list.map(\.debugDescription).joined(separator: ", ") + "]"
    case .secrets(1): "(1 secret)"
    case .secrets(let count): "(\(count) secrets)"
    }
  }
}

extension Settings.Entry: Encodable {
  private enum CodingKeys: CodingKey {
    case value, count, source
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(source.origin, forKey: .source)
    switch shown {
    case .none: try container.encodeNil(forKey: .value)
    case .text(let text): try container.encode(text, forKey: .value)
    case .list(let list): try container.encode(list, forKey: .value)
    case .secrets(let count): try container.encode(count, forKey: .count)
    }
  }
}
