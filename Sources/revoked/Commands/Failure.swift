internal import ArgumentParser
internal import Foundation

/// How a command ends when it cannot do its work: what it says on stderr, and its exit code (sysexits.h).
enum Failure {
  /// The answer is "no", or the work failed. Said already.
  static let no = ExitCode(1)

  /// The same, with what is to be said.
  static func no(_ reason: String) -> ExitCode { say(reason, 1) }

  static var unauthorized: ExitCode {
    say("the receiver does not know the secret this was signed with: compare the one here with the one there", 1)
  }

  static func unreachable(_ reason: String) -> ExitCode { say(reason, EX_UNAVAILABLE) }

  static func io(_ reason: some CustomStringConvertible) -> ExitCode { say(reason.description, EX_IOERR) }

  /// Every problem, a line each.
  static func configuration(_ problems: some CustomStringConvertible) -> ExitCode {
    say(problems.description, EX_CONFIG)
  }

  private static func say(_ text: String, _ code: Int32) -> ExitCode {
    let lines = text.split(separator: "\n").map { "revoked: \($0)\n" }.joined()
    try? FileHandle.standardError.write(contentsOf: Data(lines.utf8))
    return ExitCode(code)
  }
}
