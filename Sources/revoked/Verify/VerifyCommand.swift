internal import ArgumentParser
internal import Receiver

struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Checks a signature against a body read from standard input.",
    discussion: "Exit 0: valid with one of the configured secrets; 1: not.")

  @Option(help: ArgumentHelp("The value of x-dynamic-signature-256.", valueName: "value"))
  var signature: String

  @Flag(help: "Say why.")
  var explain = false

  @OptionGroup var options: ConfigurationOptions

  func run() throws {
    let settings = try options.load(requiring: [.secrets])
    let body = try StandardInput.readAll()
    let diagnosis = try SignatureDiagnosis(headerValue: signature, body: body, secrets: settings.receiver.secrets)
    try Output.line(diagnosis.isValid ? "valid" : "not valid")
    if explain {
      for finding in diagnosis.findings { try Output.line(finding) }
    }
    if !diagnosis.isValid { throw Failure.no }
  }
}
