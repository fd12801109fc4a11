internal import Subprocess

/// How a command ended that did not succeed.
struct ExecFailure: Error, CustomStringConvertible {
  let description: String

  init(_ status: TerminationStatus) {
    description =
      switch status {
      case .exited(75): "the command asked for another attempt (exit code 75)"
      case .exited(let code): "the command failed with exit code \(code)"
      case .signaled(let signal): "the command was ended by signal \(signal)"
      }
  }
}
