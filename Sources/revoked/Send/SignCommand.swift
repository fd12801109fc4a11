internal import ArgumentParser
internal import Foundation
internal import Receiver
internal import Signature

struct SignCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sign", abstract: "Prints the signature header's value for a body read from standard input.",
    discussion: "Signs the exact bytes, a trailing newline included, with the first of the configured secrets.")

  @OptionGroup var options: ConfigurationOptions

  func run() throws {
    let settings = try options.load(requiring: [.secrets])
    let body = try StandardInput.readAll()
    try Output.line(try Signing.headerValue(for: body, settings))
  }
}

/// Signs as Dynamic does, with the first secret.
enum Signing {
  static func headerValue(for body: [UInt8], _ settings: Settings) throws -> String {
    guard let secret = settings.receiver.secrets.first else { throw Failure.configuration("secrets: there is none") }
    return SignatureHeader.value(for: try HMACSHA256(key: secret).code(for: body.span))
  }
}

/// A body's exact bytes, as `sign` and `verify` read them.
enum StandardInput {
  /// As much as `limits.body` can allow.
  private static let limit = 64 << 20

  static func readAll() throws -> [UInt8] {
    if isatty(STDIN_FILENO) == 1 { Notice.say("reading the body from the terminal; end it with Ctrl-D") }
    do throws(Mismatch) {
      return try InputFile.standardInput(atMost: limit)
    } catch {
      throw Failure.io(error.text)
    }
  }
}
