@testable import revoked

extension ConfigurationInputs {
  /// A world of its own: `revoked.yaml` holds `file`, and nothing else exists but `files` and `programs`, which this
  /// user may run or not. Everybody may read what is in `open`.
  static func stub(
    _ file: String? = nil, environment: [String: String] = [:], flags: [(key: String, value: String)] = [],
    files: [String: String] = [:], programs: [String: Bool] = [:], open: Set<String> = [], terminal: Bool = false
  ) -> Self {
    let known = files.merging(file.map { ["revoked.yaml": $0] } ?? [:]) { $1 }
    return Self(
      flags: flags, environment: environment, file: file == nil ? nil : "revoked.yaml", logsToTerminal: terminal,
      readFile: { (path) throws(Mismatch) in
        guard let text = known[path] else { throw Mismatch("\(path) does not exist") }
        return text
      }, isExecutable: { programs[$0] }, interpreterLine: { known[$0] }, isReadableByAll: { open.contains($0) })
  }

  /// The lines of the problems; none when it loads.
  func problems(requiring: Set<Settings.Requirement> = []) -> [String] {
    do throws(ConfigurationProblems) {
      _ = try Settings.load(self, requiring: requiring)
      return []
    } catch {
      return error.problems.map(\.description)
    }
  }
}

extension Settings {
  func source(of key: String) -> String? { entries.first { $0.key == key }?.source.origin }
}
