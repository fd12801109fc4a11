internal import ArgumentParser
internal import Foundation
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
      RevokeCommand.self, WebhookCommand.self, CatchUpCommand.self, DeadCommand.self, InitCommand.self,
      BackupCommand.self, MigrateCommand.self, StoreCommand.self, ConfigCommand.self, StatusCommand.self,
      HealthcheckCommand.self,
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

/// What the program makes sure of before it does anything else.
enum ProgramStart {
  /// The arguments behind the program's name; nil when they cannot be known.
  ///
  /// On Linux, Swift looks for them where the kernel put them, below the environment. After a preloaded library has
  /// called `setenv`, it finds none (swiftlang/swift #76080), and `serve` would print help and succeed.
  static func arguments() -> [String]? {
    var line = CommandLine.arguments
    if line.isEmpty {
      guard let text = FileManager.default.contents(atPath: "/proc/self/cmdline"), text.last == 0 else { return nil }
      line = text.dropLast().split(separator: 0, omittingEmptySubsequences: false).map {
        String(decoding: $0, as: UTF8.self)
      }
    }
    // Who starts a program without any argument, not even its name, has lost them; Linux 5.18 puts an empty one there.
    return line == [""] ? nil : Array(line.dropFirst())
  }

  /// Opens /dev/null for each of standard input, output and error that is closed. The next file would get its number,
  /// and what is printed or logged would be written into the store.
  static func openStandardDescriptors() {
    for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) == -1 && errno == EBADF {
      // The lowest number that is free, which is this one.
      _ = unsafe open("/dev/null", descriptor == STDIN_FILENO ? O_RDONLY : O_WRONLY)
    }
  }

  /// Has the signals do nothing that would end a process which did not ask for them: a `kill -USR1`, as other
  /// servers reopen their logs by, and the limit on a file's size, which is an error of the write as well.
  ///
  /// They are caught rather than ignored, since a child inherits what is ignored.
  static func catchStraySignals() {
    for number in [SIGUSR1, SIGUSR2, SIGXFSZ] { _ = signal(number) { _ in } }
  }
}

/// What the command line parser says of an option that there is not, mended: it counts letters, so that `--port`
/// becomes "did you mean --set", and it does not know the configuration's keys.
enum UsageHint {
  /// What other servers call theirs.
  private static let listeners: Set<String> = ["port", "host", "bind", "address", "addr", "http", "p"]

  static func improved(_ message: String) -> String {
    // Error: Unknown option '--port'. Did you mean '--set'?
    guard let unknown = message.firstMatch(of: /Unknown option '-{1,2}([^']*)'(\. Did you mean '-{1,2}([^']*)'\?)?/)
    else { return message.visible(keepingLines: true) }
    let name = String(unknown.1)
    var text = message
    if let hint = hint(for: name) {
      text.replaceSubrange(unknown.range, with: "Unknown option '--\(name)'. \(hint)")
    } else if let suggestion = unknown.3, ConfigurationNames.slips(from: name, to: String(suggestion)) > name.count / 3
    {
      text.replaceSubrange(unknown.range, with: "Unknown option '--\(name)'")
    }
    return text.visible(keepingLines: true)
  }

  private static func hint(for name: String) -> String? {
    if listeners.contains(name) {
      return "The public listener is --listen HOST:PORT, the private one --private-listen."
    }
    switch ConfigurationNames.meaning(of: name) {
    case .key(isSecret: false): return "It is a key of the configuration: --set \(name)=VALUE."
    case .key(isSecret: true): return "It is a secret: set \(environmentName(of: name)), never a flag."
    case .section, .unknown: return nil
    }
  }
}
