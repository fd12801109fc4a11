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
