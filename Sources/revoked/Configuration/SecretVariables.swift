internal import Foundation
internal import Signature

/// The webhook secrets of the environment. All variables that are set count together, so that a rotation may use two.
/// Their text is never parsed as YAML: a secret may hold `[`, `{`, `$` or `'`.
struct SecretVariables {
  private(set) var secrets: [Secret] = []
  private(set) var problems: [ConfigurationProblem] = []
  /// The variables that are set; empty: the file decides.
  private(set) var variables: [String] = []
  private var texts: Set<String> = []

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
      let new = found.filter { !texts.contains($0) }
      // All of them known already is no empty variable.
      if !found.isEmpty, new.isEmpty { return }
      secrets += try ValueParser.secrets.parse(ConfigurationValue(content: .list(new), source: source))
      texts.formUnion(new)
    } catch {
      problems.append(ConfigurationProblem("secrets", source, error.text))
    }
  }
}
