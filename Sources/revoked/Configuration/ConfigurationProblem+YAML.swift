internal import Yams

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
