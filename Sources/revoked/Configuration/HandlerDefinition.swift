internal import Foundation
internal import Handlers
internal import Logging

/// A handler as the configuration names it, complete and checked. It is built elsewhere.
struct HandlerDefinition: Sendable {
  enum Kind: Sendable {
    /// One structured line for each event.
    case log
    /// A command without a shell, the event's JSON on its standard input.
    case exec(program: String, arguments: [String])
    /// A signed `POST`. Plain `http` only to an address of this host or of a private network, or asked for by name
    /// (`insecure`).
    case forward(url: URL, secrets: [WebhookSecret])
  }

  /// `[a-z0-9][a-z0-9-]{0,62}`; it names the handler's queue, its metrics and its dead letters, so it should not
  /// change.
  let name: String
  let kind: Kind
  /// Event names; a pattern ends in `*`.
  let events: [String]
  /// Of one attempt.
  let timeout: Duration
  /// Attempts at the same time.
  var concurrency: Int
  /// Before the event becomes a dead letter.
  let maxAttempts: Int

  /// nil: an event that could not be decoded, which no handler gets.
  func wants(_ eventName: String?) -> Bool {
    guard let eventName else { return false }
    return events.contains { EventPattern($0).matches(eventName) }
  }
}

extension HandlerDefinition {
  /// The handler at work.
  func registration(_ settings: Settings, _ logger: Logger, _ sink: LogSink) -> HandlerRegistration {
    // Lines of `log` are written one after the other all the same, and share their flushes.
    let atOnce = if case .log = kind { LoggingHandler.concurrency } else { concurrency }
    return HandlerRegistration(
      name, events: events.map { EventPattern($0) }, timeout: timeout, concurrency: atOnce, maxAttempts: maxAttempts,
      handler: handler(settings, logger, sink))
  }

  private func handler(_ settings: Settings, _ logger: Logger, _ sink: LogSink) -> any EventHandler {
    var logger = logger
    logger[metadataKey: "handler"] = "\(name)"
    switch kind {
    case .log:
      // A handler's lines are its work, whatever the log level.
      logger.logLevel = .trace
      return LoggingHandler(logger: logger) { write in try await sink.deliver(write) }
    case .exec(let program, let arguments):
      return ExecHandler(
        program, arguments, descriptors: UInt64(DescriptorShares.inherited), logger: logger)
    case .forward(let url, let secrets):
      return ForwardHandler(url, secrets: secrets, authorities: settings.authorities)
    }
  }
}

/// A key below `handlers.<name>.`, and the kinds that take it.
struct HandlerKey: Sendable {
  let key: ConfigurationKey<HandlerDraft>
  let kinds: Set<HandlerKind>

  init(_ kinds: Set<HandlerKind>, _ key: ConfigurationKey<HandlerDraft>) {
    self.kinds = kinds
    self.key = key
  }

  static let all: [HandlerKey] = [
    HandlerKey([.log, .exec, .forward], ConfigurationKey("kind", nil, "log, exec or forward", .kind, into: \.kind)),
    HandlerKey(
      [.log, .exec, .forward],
      ConfigurationKey(
        "events", HandlerDraft.standardEvents.joined(separator: ","), "the events it gets, as names or patterns",
        .eventPatterns, into: \.events)),
    HandlerKey(
      [.exec],
      ConfigurationKey("command", nil, "program and arguments, run without a shell", .command, into: \.command)),
    HandlerKey(
      [.forward], ConfigurationKey("url", nil, "where each event is posted to", .url, into: \.url)),
    HandlerKey(
      [.forward],
      ConfigurationKey(
        "secret", nil, "signs each delivery; one or a list", .webhookSecrets, into: \.secrets, isSecret: true)),
    HandlerKey(
      [.forward],
      ConfigurationKey("secret-file", nil, "the file that holds them instead, one a line", .file, into: \.secretFile)),
    HandlerKey(
      [.forward],
      ConfigurationKey(
        "insecure", "false", "true allows an http:// URL to a public address", .truth, into: \.insecure)),
    HandlerKey(
      [.exec, .forward],
      ConfigurationKey(
        "timeout", "30s", "deadline of one attempt", .duration(upTo: 24, .h), into: \.timeout)),
    HandlerKey(
      [.exec, .forward],
      ConfigurationKey("concurrency", "4", "attempts at the same time", .count(1...256), into: \.concurrency)),
    HandlerKey(
      [.exec, .forward],
      ConfigurationKey(
        "max-attempts", "20", "attempts before the event is a dead letter", .count(1...1_000), into: \.maxAttempts)),
  ]

  /// `[a-z0-9][a-z0-9-]{0,62}`
  static func isName(_ text: some StringProtocol) -> Bool {
    let isLetterOrDigit = { (byte: UInt8) in (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) }
    return (1...63).contains(text.utf8.count) && text.utf8.first != UInt8(ascii: "-")
      && text.utf8.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "-") }
  }
}

extension ValueParser where Value == HandlerKind {
  static var kind: Self {
    Self("log, exec or forward") { HandlerKind(rawValue: $0) }
  }
}

/// The `kind` of a handler, as written.
enum HandlerKind: String, Sendable, CaseIterable {
  case log, exec, forward
}

/// What the configuration said about one handler, before it is checked whether that is enough.
struct HandlerDraft: Sendable {
  /// Those that revoke a session.
  static let standardEvents = ["user.session.revoked", "admin.user.session.revoked"]

  var kind: HandlerKind?
  var events = standardEvents
  var command: [String]?
  var url: URL?
  var secrets: [WebhookSecret]?
  var secretFile: String?
  var insecure = false
  // For the kinds without these keys; the others have their defaults in the table.
  var timeout = Duration.seconds(30)
  var concurrency = 1
  var maxAttempts = 20
}

/// From the values below `handlers.<name>.` to a definition, with every problem on the way.
struct HandlerReading {
  private(set) var definition: HandlerDefinition?
  private(set) var entries: [Settings.Entry] = []
  private(set) var problems: [ConfigurationProblem] = []

  private let name: String
  private let values: [String: ConfigurationValue]

  /// - Parameter values: by the key's last part.
  init(
    _ name: String, _ values: [String: ConfigurationValue], readFile: (String) throws(Mismatch) -> String
  ) {
    self.name = name
    self.values = values
    var draft = HandlerDraft()
    for handlerKey in HandlerKey.all {
      let key = handlerKey.key
      // `kind` stands first in the table, so the others know whether they belong to it.
      if let kind = draft.kind, !handlerKey.kinds.contains(kind) {
        if values[key.name] != nil { complain(key.name, "is not for the kind \(kind)") }
        continue
      }
      let value = values[key.name] ?? key.standard.map { .text($0, .standard) }
      entries.append(Settings.Entry("handlers.\(name).\(key.name)", value, isSecret: key.isSecret))
      guard let value else { continue }
      do {
        try key.read(value, &draft)
      } catch {
        complain(key.name, error.text)
      }
    }
    definition = define(draft, readFile: readFile)
    if !problems.isEmpty { definition = nil }
  }

  private mutating func complain(_ key: String, _ text: String) {
    problems.append(ConfigurationProblem("handlers.\(name).\(key)", values[key]?.source, text))
  }

  private mutating func define(
    _ draft: HandlerDraft, readFile: (String) throws(Mismatch) -> String
  ) -> HandlerDefinition? {
    guard let kind = kind(of: draft, readFile: readFile) else { return nil }
    return HandlerDefinition(
      name: name, kind: kind, events: draft.events, timeout: draft.timeout, concurrency: draft.concurrency,
      maxAttempts: draft.maxAttempts)
  }

  private mutating func kind(
    of draft: HandlerDraft, readFile: (String) throws(Mismatch) -> String
  ) -> HandlerDefinition.Kind? {
    switch draft.kind {
    case .log: return .log
    case .exec:
      guard let command = draft.command, let program = command.first else {
        need("command", "the program to run and its arguments, as an array")
        return nil
      }
      return .exec(program: program, arguments: Array(command.dropFirst()))
    case .forward:
      if draft.url == nil { need("url", "where the events are posted to") }
      if let url = draft.url, url.scheme?.lowercased() != "https", !url.isPrivate, !draft.insecure {
        complain("url", "is not https; write insecure: true below the handler if the way there is private")
      }
      guard let secrets = secrets(of: draft, readFile: readFile), let url = draft.url else { return nil }
      return .forward(url: url, secrets: secrets)
    case nil:
      need("kind", "log, exec or forward")
      return nil
    }
  }

  private mutating func secrets(
    of draft: HandlerDraft, readFile: (String) throws(Mismatch) -> String
  ) -> [WebhookSecret]? {
    if values["secret"] != nil, values["secret-file"] != nil {
      complain("secret-file", "stands beside secret; remove one of the two")
    }
    if let secrets = draft.secrets { return secrets }
    guard let path = draft.secretFile else {
      need("secret", "whsec_ and base64, here or in the file that secret-file names")
      return nil
    }
    do throws(Mismatch) {
      let lines = SecretVariables.lines(of: try readFile(path))
      return try ValueParser.webhookSecrets.parse(ConfigurationValue(content: .list(lines), source: .standard))
    } catch {
      complain("secret-file", error.text)
      return nil
    }
  }

  /// A value that does not parse is a problem already; only an absent one is missing.
  private mutating func need(_ key: String, _ what: String) {
    if values[key] == nil { complain(key, "is missing: \(what)") }
  }
}
