/// What the command line parser says of an option that there is not, mended: it counts letters, so that `--port` becomes "did
/// you mean --set", and it does not know the configuration's keys.
enum UsageHint {
  /// What other servers call theirs.
  private static let listeners: Set<String> = ["port", "host", "bind", "address", "addr", "http", "p"]

  static func improved(_ message: String) -> String {
    // Error: Unknown option '--port'. Did you mean '--set'?
    guard let unknown = message.firstMatch(of: /Unknown option '-{1,2}([^']*)'(\. Did you mean '-{1,2}([^']*)'\?)?/)
    else { return message.visible(keepingLines: true) }
    let name = String(unknown.1)
    var text = message
    if let hint = hint(for: name) {
      text.replaceSubrange(unknown.range, with: "Unknown option '--\(name)'. \(hint)")
    } else if let suggestion = unknown.3, ConfigurationNames.slips(from: name, to: String(suggestion)) > name.count / 3
    {
      text.replaceSubrange(unknown.range, with: "Unknown option '--\(name)'")
    }
    return text.visible(keepingLines: true)
  }

  private static func hint(for name: String) -> String? {
    if listeners.contains(name) {
      return "The public listener is --listen HOST:PORT, the private one --private-listen."
    }
    switch ConfigurationNames.meaning(of: name) {
    case .key(isSecret: false): return "It is a key of the configuration: --set \(name)=VALUE."
    case .key(isSecret: true): return "It is a secret: set \(environmentName(of: name)), never a flag."
    case .section, .unknown: return nil
    }
  }
}
