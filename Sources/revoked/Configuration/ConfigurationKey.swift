/// One key: what it is called, what it means and how its value gets into `Target`. Parsing, the detection of unknown
/// keys, the environment's names and `config show` all come from tables of these.
struct ConfigurationKey<Target>: Sendable {
  /// As the file spells it, nested mappings joined by dots.
  let name: String
  /// The default as a user would write it, parsed like any other value; `nil`: there is none.
  let standard: String?
  /// One line for people.
  let meaning: String
  /// Never printed, and refused on the command line, which every user of the machine can read.
  let isSecret: Bool
  let read: @Sendable (ConfigurationValue, inout Target) throws(Mismatch) -> Void

  init<Value>(
    _ name: String, _ standard: String?, _ meaning: String, _ parser: ValueParser<Value>,
    into path: any WritableKeyPath<Target, Value> & Sendable, isSecret: Bool = false
  ) {
    self.name = name
    self.standard = standard
    self.meaning = meaning
    self.isSecret = isSecret
    read = { (value, target) throws(Mismatch) in target[keyPath: path] = try parser.parse(value) }
  }

  /// As above, for what may be absent.
  init<Value>(
    _ name: String, _ standard: String?, _ meaning: String, _ parser: ValueParser<Value>,
    into path: any WritableKeyPath<Target, Value?> & Sendable, isSecret: Bool = false
  ) {
    self.init(name, standard, meaning, parser.optional, into: path, isSecret: isSecret)
  }
}

/// `a.b-c` is `REVOKED_A_B_C` in the environment.
func environmentName(of key: String) -> String {
  "REVOKED_" + key.uppercased().map { $0 == "." || $0 == "-" ? "_" : $0 }
}

/// A value as it was written. Nothing is typed before a key's parser has seen it: `no`, `1e3` and `8080` stay text.
struct ConfigurationValue: Sendable, Equatable {
  enum Content: Sendable, Equatable {
    case text(String)
    /// Only a file can write one.
    case list([String])
  }

  var content: Content
  var source: ConfigurationSource

  static func text(_ text: String, _ source: ConfigurationSource) -> Self { Self(content: .text(text), source: source) }
}

/// Where a value came from, in the order of precedence: the higher one wins.
enum ConfigurationSource: Sendable, Equatable {
  case flag
  /// The variable's name, or several joined by `+` where their values count together.
  case environment(String)
  /// The file as the user named it, and the line of the key, from 1.
  case file(String, line: Int)
  case standard

  /// As `config show` prints it.
  var origin: String {
    switch self {
    case .flag: "flag"
    case .environment(let name): "environment \(name)"
    case .file(let name, let line): "file \(name):\(line)"
    case .standard: "default"
    }
  }

  /// As a problem names it, between parentheses; compilers print `file:line` the same way, so editors can jump there.
  var place: String {
    switch self {
    case .flag: "flag"
    case .environment(let name): name
    case .file(let name, let line): "\(name):\(line)"
    case .standard: "default"
    }
  }
}

/// One thing that is wrong with the configuration, as one line that names its key and its source.
struct ConfigurationProblem: Sendable, Equatable, CustomStringConvertible {
  /// `nil` when the file as a whole is unusable.
  let key: String?
  let source: ConfigurationSource?
  let text: String

  init(_ key: String?, _ source: ConfigurationSource?, _ text: String) {
    self.key = key
    self.source = source == .standard ? nil : source
    self.text = text
  }

  /// Always one line: a key in quotes may hold line ends, as may the name of a file.
  var description: String {
    let line =
      switch (key, source) {
      case (let key?, let source?): "\(key) (\(source.place)): \(text)"
      case (let key?, nil): "\(key): \(text)"
      case (nil, let source?): "\(source.place): \(text)"
      case (nil, nil): text
      }
    return line.visible()
  }
}

/// Everything that is wrong with the configuration, so that a user mends it in one go. Exit code 78.
struct ConfigurationProblems: Error, Equatable, CustomStringConvertible {
  let problems: [ConfigurationProblem]

  var description: String {
    problems.map(\.description).joined(separator: "\n")
  }
}

/// What is wrong with a value and what would be right; the problem's line adds the key and the source.
struct Mismatch: Error, Equatable {
  let text: String

  init(_ text: String) {
    self.text = text
  }

  /// `"lots" is not a number of bytes …`. Never for a secret: the value is echoed, cut and with its control characters
  /// escaped, so that a problem stays one line.
  init(_ value: String, isNot right: String) {
    text = "\(Self.quoted(value)) is not \(right)"
  }

  static func quoted(_ value: String) -> String {
    String(value.count > 80 ? value.prefix(80) + "…" : value[...]).debugDescription
  }
}

/// Which keys there are, and what to say of one that there is not.
enum ConfigurationNames {
  enum Meaning: Equatable {
    case key(isSecret: Bool)
    /// Only other keys stand below it: `limits`, `handlers.audit`.
    case section
    /// What is wrong with it.
    case unknown(String)
  }

  private static let plain = Dictionary(uniqueKeysWithValues: Settings.keys.map { ($0.name, $0.isSecret) })
  private static let handler = Dictionary(uniqueKeysWithValues: HandlerKey.all.map { ($0.key.name, $0.key.isSecret) })
  private static let sections = Set(
    plain.keys.compactMap { $0.split(separator: ".").dropLast().first.map(String.init) } + ["handlers"])

  static func meaning(of name: String) -> Meaning {
    if let isSecret = plain[name] { return .key(isSecret: isSecret) }
    if sections.contains(name) { return .section }
    let parts = name.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
    guard parts.count > 1, parts[0] == "handlers" else {
      return .unknown(complaint(about: name, known: sections.union(plain.keys)))
    }
    guard HandlerKey.isName(parts[1]) else {
      return .unknown("a handler's name is 1 to 63 of a-z, 0-9 and -, and does not begin with -")
    }
    guard parts.count == 3 else { return .section }
    if let isSecret = handler[parts[2]] { return .key(isSecret: isSecret) }
    return .unknown(complaint(about: name, known: Set(handler.keys.map { "handlers.\(parts[1]).\($0)" })))
  }

  private static let variables = Dictionary(
    uniqueKeysWithValues: plain.keys.map { (environmentName(of: $0), $0) })
  /// `_KIND`, `_SECRET_FILE`, …; the longest first, for that one is meant.
  private static let handlerSuffixes = handler.keys
    .map { (suffix: "_" + environmentName(of: $0).dropFirst("REVOKED_".count), key: $0) }
    .sorted { ($1.suffix.count, $0.suffix) < ($0.suffix.count, $1.suffix) }

  /// The key that a `REVOKED_…` variable sets.
  static func key(ofVariable variable: String) throws(Mismatch) -> String {
    if let key = variables[variable] { return key }
    guard variable.hasPrefix("REVOKED_HANDLERS_") else {
      throw Mismatch("no key has this variable" + hint(for: variable, known: Set(variables.keys)))
    }
    let rest = variable.dropFirst("REVOKED_HANDLERS_".count)
    guard let (suffix, key) = handlerSuffixes.first(where: { rest.hasSuffix($0.suffix) }) else {
      throw Mismatch("ends in no key of a handler (KIND, EVENTS, COMMAND, …)")
    }
    // Lower-case letters would make a second spelling of the same name.
    let upper = rest.dropLast(suffix.count)
    let name = upper.lowercased().replacing("_", with: "-")
    guard !upper.contains(where: \.isLowercase), HandlerKey.isName(name) else {
      throw Mismatch("a handler's name is 1 to 63 of A-Z, 0-9 and _ here")
    }
    return "handlers.\(name).\(key)"
  }

  private static func complaint(about name: String, known: Set<String>) -> String {
    "there is no such key" + hint(for: name, known: known)
  }

  private static func hint(for name: String, known: Set<String>) -> String {
    nearest(to: name, in: known).map { "; did you mean \($0)?" } ?? ""
  }

  /// The known name that ends in it (`body` for `limits.body`), else the one that the fewest slips lead to.
  static func nearest(to name: String, in known: Set<String>) -> String? {
    let sorted = known.sorted()
    if let longer = sorted.first(where: { $0.hasSuffix(".\(name)") || $0.hasSuffix("_\(name)") }) { return longer }
    let ranked = sorted.map { (slips(from: name, to: $0), $0) }
    guard let (slips, nearest) = ranked.min(by: { $0.0 < $1.0 }), slips <= max(2, name.count / 3) else { return nil }
    return nearest
  }

  /// Levenshtein's distance.
  static func slips(from: String, to: String) -> Int {
    var row = Array(0...to.count)
    for (i, a) in from.prefix(100).enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, b) in to.enumerated() {
        let change = diagonal + (a == b ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(change, row[j] + 1, diagonal + 1)
      }
    }
    return row[to.count]
  }
}
