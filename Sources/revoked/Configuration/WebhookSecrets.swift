internal import Foundation
internal import Handlers
internal import Signature

/// The webhook secrets of the environment. All variables that are set count together, so that a rotation may use two.
/// Their text is never parsed as YAML: a secret may hold `[`, `{`, `$` or `'`.
struct SecretVariables {
  private(set) var secrets: [Secret] = []
  private(set) var problems: [ConfigurationProblem] = []
  /// The variables that are set; empty: the file decides.
  private(set) var variables: [String] = []
  /// Their bytes: to `String`, two that differ in bytes may be equal.
  private var known: Set<[UInt8]> = []

  var source: ConfigurationSource { .environment(variables.joined(separator: " + ")) }

  init(_ inputs: ConfigurationInputs) {
    for variable in ["DYNAMIC_WEBHOOK_SECRET", "REVOKED_SECRETS"] {
      guard let text = inputs.environment[variable] else { continue }
      add(text.split(whereSeparator: \.isWhitespace).map(String.init), of: variable)
    }
    let variable = "DYNAMIC_WEBHOOK_SECRET_FILE"
    guard let path = inputs.environment[variable] else { return }
    do throws(Mismatch) {
      guard !path.isEmpty else { throw Mismatch("is empty; name the file or unset it") }
      let lines = Self.lines(of: try inputs.readFile(path))
      if lines.contains(where: { $0.contains(where: \.isWhitespace) }) {
        throw Mismatch("a line of \(path) holds white space; write one secret a line")
      }
      add(lines, of: variable)
    } catch {
      variables.append(variable)
      problems.append(ConfigurationProblem("secrets", .environment(variable), error.text))
    }
  }

  /// One a line; blank lines and `#` lines are skipped, as is white space around a line.
  static func lines(of text: String) -> [String] {
    text.split(whereSeparator: \.isNewline).map { $0.trimmingCharacters(in: .whitespaces) }
      .filter { !$0.isEmpty && !$0.hasPrefix("#") }
  }

  private mutating func add(_ found: [String], of variable: String) {
    variables.append(variable)
    let source = ConfigurationSource.environment(variable)
    do {
      let new = found.filter { !known.contains(Array($0.utf8)) }
      // All of them known already is no empty variable.
      if !found.isEmpty, new.isEmpty { return }
      secrets += try ValueParser.secrets.parse(ConfigurationValue(content: .list(new), source: source))
      known.formUnion(new.map { Array($0.utf8) })
    } catch {
      problems.append(ConfigurationProblem("secrets", source, error.text))
    }
  }
}

// No value is echoed here: a mistyped secret is mostly a secret.

extension ValueParser where Value == [Secret] {
  /// One or more, each at least 16 bytes, none twice.
  static var secrets: Self {
    ValueParser { (value) throws(Mismatch) in
      var texts = value.several()
      guard !texts.isEmpty else { throw Mismatch("is empty; \(Settings.howToSetSecrets)") }
      var seen: Set<[UInt8]> = []
      texts.removeAll { !seen.insert(Array($0.utf8)).inserted }
      var secrets: [Secret] = []
      for (at, text) in texts.enumerated() {
        secrets.append(try Secret.checked(text, called: texts.count == 1 ? "" : "number \(at + 1) of \(texts.count) "))
      }
      return secrets
    }
  }
}

extension ValueParser where Value == [WebhookSecret] {
  /// The shared secrets of a `forward` handler. More than a few are a mistake, and each signs each delivery.
  static var webhookSecrets: Self {
    ValueParser { (value) throws(Mismatch) in
      let texts = value.several()
      guard (1...8).contains(texts.count) else { throw Mismatch("must be 1 to 8 secrets") }
      var secrets: [WebhookSecret] = []
      for (at, text) in texts.enumerated() {
        do throws(WebhookSecretError) {
          secrets.append(try WebhookSecret(text))
        } catch {
          throw Mismatch((texts.count == 1 ? "" : "number \(at + 1) of \(texts.count) ") + error.description)
        }
      }
      return secrets
    }
  }
}

extension ValueParser where Value == Secret {
  /// A token that fits into a header, where the peer must be able to send it.
  static var token: Self {
    ValueParser { (value) throws(Mismatch) in
      let text = try value.single
      guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
        throw Mismatch("holds a space, a line end or another character that a header cannot carry")
      }
      return try Secret.checked(text, minimumBytes: 1)
    }
  }
}

extension Secret {
  fileprivate static func checked(
    _ text: String, called which: String = "", minimumBytes: Int = 16
  ) throws(Mismatch) -> Secret {
    do {
      return try Secret(text, minimumBytes: minimumBytes)
    } catch {
      switch error {
      case .empty:
        throw Mismatch("\(which)is empty\(minimumBytes > 1 ? "; it needs at least \(minimumBytes) bytes" : "")")
      case .tooShort(let bytes, let minimum):
        throw Mismatch("\(which)has \(bytes) bytes; it needs at least \(minimum)")
      }
    }
  }
}
