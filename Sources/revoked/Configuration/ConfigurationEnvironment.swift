/// The `REVOKED_…` variables as values of their keys. The secrets have rules of their own and are left out.
struct ConfigurationEnvironment {
  private(set) var values: [String: ConfigurationValue] = [:]
  private(set) var problems: [ConfigurationProblem] = []

  /// `REVOKED_CONFIG` names the file, `REVOKED_SECRETS` is read with the other secrets, and the rest is what our handlers
  /// hand to their children, which may well call `revoked` again.
  private static let others: Set<String> = [
    "REVOKED_CONFIG", "REVOKED_SECRETS", "REVOKED_EVENT_ID", "REVOKED_EVENT_NAME", "REVOKED_SESSION_ID",
  ]

  init(_ environment: [String: String]) {
    let services = Self.services(in: environment)
    for (variable, text) in environment.sorted(by: { $0.key < $1.key }) where variable.hasPrefix("REVOKED_") {
      if Self.others.contains(variable) || services.contains(where: { Self.isInjected(variable, for: $0) }) { continue }
      do {
        let key = try ConfigurationNames.key(ofVariable: variable)
        values[key] = .text(text, .environment(variable))
      } catch {
        problems.append(ConfigurationProblem(variable, nil, error.text))
      }
    }
  }

  /// Kubernetes tells every container of every Service in its namespace; `revoked` and `revoked-private` are likely names.
  private static func services(in environment: [String: String]) -> [String] {
    let suffix = "_SERVICE_HOST"
    let told = environment.keys.filter { $0.hasPrefix("REVOKED_") && $0.hasSuffix(suffix) }
    return ["REVOKED"] + told.map { String($0.dropLast(suffix.count)) }
  }

  private static func isInjected(_ variable: String, for service: String) -> Bool {
    guard variable.hasPrefix(service + "_") else { return false }
    let rest = variable.dropFirst(service.count)
    return ["_SERVICE_HOST", "_SERVICE_PORT", "_PORT"].contains(rest) || rest.hasPrefix("_SERVICE_PORT_")
      || rest.hasPrefix("_PORT_")
  }
}

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
