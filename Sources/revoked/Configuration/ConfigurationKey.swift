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
