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

/// A line on stderr that is no failure.
enum Notice {
  static func say(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data("revoked: \(text)\n".utf8))
  }
}

/// One value as one line of JSON, with its keys in the order of the alphabet.
enum JSONLine {
  static func text(_ value: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Texts, numbers, lists and objects of them always encode.
    guard let data = try? encoder.encode(value) else { return "{}" }
    return String(decoding: data, as: UTF8.self).visibleJSON
  }
}
