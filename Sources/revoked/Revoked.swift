internal import ArgumentParser
internal import Receiver

@main
struct Revoked: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "revoked",
    abstract: "Receives Dynamic's session revocations, makes them durable, and answers which sessions are revoked.",
    discussion: """
      Set DYNAMIC_WEBHOOK_SECRET and run `revoked serve`; then `revoked send` posts a signed event to try it.
      Exit codes: 0 success; 1 the answer is "no" or the work failed; 64 usage; 69 a service is not reachable; \
      74 an I/O error; 78 bad configuration.
      """,
    version: Receiver.version,
    subcommands: [
      ServeCommand.self, SendCommand.self, SignCommand.self, VerifyCommand.self, CheckCommand.self, EventsCommand.self,
      DeadCommand.self, BackupCommand.self, ConfigCommand.self, HealthcheckCommand.self,
    ])
}
