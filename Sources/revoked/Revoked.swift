internal import ArgumentParser
internal import Glibc
internal import Receiver

@main
struct Revoked: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "revoked",
    abstract: "Receives Dynamic's session revocations, makes them durable, and answers which sessions are revoked.",
    discussion: """
      Set DYNAMIC_WEBHOOK_SECRET and run `revoked serve`; then `revoked send` posts a signed event to try it.
      Exit codes: 0 success; 1 the answer is "no" or the work failed; 64 usage; 69 a service is not reachable; \
      70 the command line cannot be read; 74 an I/O error; 78 bad configuration.
      """,
    version: Receiver.version,
    subcommands: [
      ServeCommand.self, SendCommand.self, SignCommand.self, VerifyCommand.self, CheckCommand.self, EventsCommand.self,
      RevokeCommand.self, DeadCommand.self, InitCommand.self, BackupCommand.self, StoreCommand.self, ConfigCommand.self,
      StatusCommand.self, HealthcheckCommand.self,
    ])

  /// In place of the library's own, which ignores what standard output cannot take, and takes a command line that Swift
  /// does not find for an empty one.
  static func main() async {
    ProgramStart.openStandardDescriptors()
    ProgramStart.catchStraySignals()
    guard let arguments = ProgramStart.arguments() else {
      Glibc.exit(Failure.unknownCommandLine.rawValue)
    }
    do {
      var command = try await asyncParseAsRoot(arguments)
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
      try Output.finish()
    } catch {
      end(error)
    }
    Glibc.exit(EXIT_SUCCESS)
  }

  /// Help and the version are thrown as well; they are results.
  private static func end(_ error: any Error) -> Never {
    let message = fullMessage(for: error)
    var code = exitCode(for: error)
    do throws(ExitCode) {
      if code.isSuccess, !message.isEmpty { try Output.line(message) }
      try Output.finish()
    } catch {
      code = error
    }
    if !exitCode(for: error).isSuccess, !message.isEmpty { Notice.write(UsageHint.improved(message) + "\n") }
    Glibc.exit(code.rawValue)
  }
}
