internal import Foundation
internal import Handlers

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
