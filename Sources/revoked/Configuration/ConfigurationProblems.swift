/// Everything that is wrong with the configuration, so that a user mends it in one go. Exit code 78.
struct ConfigurationProblems: Error, Equatable, CustomStringConvertible {
  let problems: [ConfigurationProblem]

  var description: String {
    problems.map(\.description).joined(separator: "\n")
  }
}
