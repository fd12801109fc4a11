/// What the command line says.
struct ConfigurationFlags {
  private(set) var values: [String: ConfigurationValue] = [:]
  private(set) var problems: [ConfigurationProblem] = []

  /// Of a repeated key the last counts, as with other commands.
  init(_ flags: [(key: String, value: String)]) {
    for (key, value) in flags {
      switch ConfigurationNames.meaning(of: key) {
      case .key(isSecret: false): values[key] = .text(value, .flag)
      case .key(isSecret: true):
        problems.append(
          ConfigurationProblem(key, .flag, "a secret is not taken from the command line, where every user can read it"))
      case .section: problems.append(ConfigurationProblem(key, .flag, "is a section; set one of its keys"))
      case .unknown(let text): problems.append(ConfigurationProblem(key, .flag, text))
      }
    }
  }
}
