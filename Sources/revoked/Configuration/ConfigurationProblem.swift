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
