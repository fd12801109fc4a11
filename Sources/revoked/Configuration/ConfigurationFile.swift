internal import Yams

/// The file: a YAML mapping (JSON is one too) whose nested mappings and dotted keys mean the same. Only the node tree
/// is used, so that every value stays the text that was written.
struct ConfigurationFile {
  let name: String
  private(set) var values: [String: ConfigurationValue] = [:]
  private(set) var problems: [ConfigurationProblem] = []
  /// What a broken file leaves unsaid must not be reported as missing.
  private(set) var isBroken = false

  /// - Parameter name: as the user wrote it, for the problems' lines.
  init(_ text: String, name: String) {
    self.name = name
    do {
      // An editor's byte order mark is no part of the text, and libYAML takes it for one. The encoding is given because
      // Yams would otherwise ask the environment and print what it found.
      let text = text.hasPrefix("\u{FEFF}") ? String(text.dropFirst()) : text
      if let line = try Self.complexKey(in: text) {
        fail(line: line, "a key must be a word")
        return
      }
      guard let root = try Parser(yaml: text, encoding: .utf8).singleRoot(), !Self.isEmpty(root) else { return }
      guard let mapping = root.mapping else {
        fail(line: root.mark?.line, "is not a mapping of keys to values")
        return
      }
      add(mapping, below: "")
    } catch {
      isBroken = true
      problems.append(ConfigurationProblem(yaml: error, in: text, name: name))
    }
  }

  /// A file that cannot be read.
  init(_ mismatch: Mismatch, name: String, namedBy key: String) {
    self.name = name
    isBroken = true
    problems.append(ConfigurationProblem(key, nil, mismatch.text))
  }

  /// The line of a key that is an alias, a list or a mapping. Yams hashes keys whole, aliases within aliases as often
  /// as they multiply: thirty lines of them would take for ever.
  ///
  /// It is found in a copy without any alias, whose tree has the same shape and the size of the text.
  private static func complexKey(in text: String) throws -> Int? {
    guard text.contains("*"), text.contains("&") else { return nil }
    // A character of the private use area: a word may begin with it.
    let mark: Character = "\u{E000}"
    let copy = String(text.map { $0 == "*" ? mark : $0 })
    return try Parser(yaml: copy, encoding: .utf8).singleRoot().flatMap { complexKey(in: $0, mark) }
  }

  private static func complexKey(in node: Node, _ mark: Character) -> Int? {
    for (key, value) in node.mapping ?? [:] {
      guard let word = key.scalar?.string, word.first != mark else { return key.mark?.line ?? 1 }
      if let line = complexKey(in: value, mark) { return line }
    }
    for value in node.sequence ?? [] {
      if let line = complexKey(in: value, mark) { return line }
    }
    return nil
  }

  private mutating func fail(line: Int?, _ text: String) {
    isBroken = true
    problems.append(ConfigurationProblem(nil, .file(name, line: line ?? 1), text))
  }

  /// Descends only where keys can stand, so neither depth nor an alias that repeats itself costs anything.
  private mutating func add(_ mapping: Node.Mapping, below prefix: String) {
    for (keyNode, node) in mapping {
      let source = ConfigurationSource.file(name, line: keyNode.mark?.line ?? mapping.mark?.line ?? 1)
      guard let part = keyNode.scalar?.string, !part.isEmpty else {
        problems.append(ConfigurationProblem(nil, source, "a key must be a word"))
        continue
      }
      let key = prefix + part
      let problem = { ConfigurationProblem(key, source, $0) }
      switch ConfigurationNames.meaning(of: key) {
      case .unknown(let text): problems.append(problem(text))
      case .section:
        if let mapping = node.mapping {
          add(mapping, below: key + ".")
        } else if !Self.isEmpty(node) {
          problems.append(problem("is a section: its keys go below it, indented"))
        }
        if key.hasPrefix("handlers."), node.mapping?.isEmpty ?? Self.isEmpty(node) {
          problems.append(problem("is a handler without keys; give it a kind (log, exec or forward) or remove it"))
        }
      case .key:
        if let earlier = values[key]?.source {
          problems.append(problem("is set already in \(earlier.place); remove one of the two"))
        } else if let content = Self.content(of: node) {
          values[key] = ConfigurationValue(content: content, source: source)
        } else {
          let empty = Self.isEmpty(node)
          problems.append(problem(empty ? "has no value; give it one or remove it" : "takes a value or a list of them"))
        }
      }
    }
  }

  private static func content(of node: Node) -> ConfigurationValue.Content? {
    if isEmpty(node) { return nil }
    if let scalar = node.scalar { return .text(scalar.string) }
    guard let sequence = node.sequence else { return nil }
    let texts = sequence.compactMap { isEmpty($0) ? nil : $0.scalar?.string }
    return texts.count == sequence.count ? .list(texts) : nil
  }

  /// YAML's null, which a key with nothing behind it also is.
  private static func isEmpty(_ node: Node) -> Bool {
    guard let scalar = node.scalar, scalar.style == .plain else { return false }
    return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
  }
}

extension ConfigurationProblem {
  /// What the YAML parser says, with its line but without the text around it, which may be a secret.
  init(yaml error: any Error, in text: String, name: String) {
    let (line, problem): (Int, String) =
      switch error as? YamlError {
      case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
        .composer(_, let problem, let mark, _):
        (mark.line, "is not YAML: \(problem)")
      case .duplicatedKeysInMapping(let keys, let context):
        (context.mark.line, "\(keys.joined(separator: ", ")) is set twice in the same mapping; remove one of the two")
      case .reader(let problem, let offset, _, _):
        (text.prefix(offset ?? 0).count { $0.isNewline } + 1, "is not text: \(problem)")
      default: (1, "is not YAML")
      }
    self.init(nil, .file(name, line: line), problem)
  }
}
