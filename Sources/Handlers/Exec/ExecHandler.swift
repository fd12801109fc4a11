public import DynamicEvents
internal import Foundation
public import Logging
internal import Synchronization
internal import SystemPackage

/// The handler of kind `exec`: runs a command for each event, without a shell.
///
/// The command has the event's JSON on its standard input, byte for byte as it was signed, and an environment of
/// `PATH`, `REVOKED_EVENT_ID`, `REVOKED_EVENT_NAME` and, for an event about a session, `REVOKED_SESSION_ID`. Exit code
/// 0 means done, 78 (EX_CONFIG) that no other attempt will help; after any other, or a signal, the event comes again.
/// When the attempt is cancelled, as it is at its deadline, the command's whole process group is killed. What the
/// command prints is logged, 4 KiB of it.
public struct ExecHandler: EventHandler, SuspendingHandler {
  /// For a receiver that was started without a `PATH`.
  package static let standardPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
  /// How many descriptors an attempt has at most: the event, the ends of two pipes, and one for the process.
  package static let descriptors = 6
  /// Between two looks whether what was lacking is there.
  private static let pause: Duration = .milliseconds(100)

  /// When it was last said that something is lacking.
  private final class Shortage: Sendable {
    let said = Mutex<ContinuousClock.Instant?>(nil)
  }

  private let command: Command.Plan
  private let logger: Logger
  private let shortage = Shortage()

  /// - Parameter program: a path if it holds a `/`, else looked for in our `PATH`.
  public init(_ program: String, _ arguments: [String] = [], logger: Logger) {
    self.init(program, arguments, descriptors: 0, logger: logger)
  }

  /// - Parameter descriptors: the command's soft limit on open files; 0: ours, as it is then.
  package init(_ program: String, _ arguments: [String], descriptors: UInt64, logger: Logger) {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? Self.standardPath
    // An empty part of PATH is the working folder.
    let folders = path.split(separator: ":", omittingEmptySubsequences: false).map { $0.isEmpty ? "." : $0 }
    command = Command.Plan(
      programs: program.contains("/") ? [program] : folders.map { "\($0)/\(program)" },
      arguments: [program] + arguments, environment: ["PATH=\(path)"], input: [], descriptors: descriptors)
    self.logger = logger
  }

  /// Throws `Undeliverable` for exit code 78, and for any other but 0 an error that says how the command ended.
  ///
  /// Where no descriptor, process or memory is free for the command, it waits until there is.
  public func handle(_ event: Event) async throws {
    let id = try event.deliveryID
    let end = try await end(of: command(for: event, id))
    log(end, id)
    let reason = end.output.lastErrorLine.map { ": \($0)" } ?? ""
    switch end.status {
    case .exited(0): return
    case .exited(78): throw Undeliverable("the command refused the event (exit code 78)\(reason)")
    case .exited(75): throw ExecFailure("the command asked for another attempt (exit code 75)\(reason)")
    case .exited(let code): throw ExecFailure("the command failed with exit code \(code)\(reason)")
    case .signaled(let signal): throw ExecFailure("the command was ended by signal \(signal)\(reason)")
    case .unknown: throw ExecFailure("how the command ended is not known\(reason)")
    }
  }

  private func command(for event: Event, _ id: String) -> Command.Plan {
    var command = command
    command.input = event.body
    command.mark = AttemptFile.Mark.current
    command.environment.append("REVOKED_EVENT_ID=\(id)")
    // A name that a shell or a log may stumble over is in the body for those who want it.
    if event.envelope.eventName.isPlain { command.environment.append("REVOKED_EVENT_NAME=\(event.envelope.eventName)") }
    if case .sessionRevoked(let session, _) = event.payload {
      command.environment.append("REVOKED_SESSION_ID=\(session.id)")
    }
    return command
  }

  private func end(of command: Command.Plan) async throws -> CommandEnd {
    while true {
      do throws(Errno) {
        return try await Command(command).run()
      } catch {
        switch error {
        case .canceled: throw CancellationError()
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem, .resourceTemporarilyUnavailable, .noMemory:
          tell(of: error)
          try await Task.sleep(for: Self.pause)
        default: throw ExecFailure("the command cannot be run: \(error)")
        }
      }
    }
  }

  /// Once a second at most.
  private func tell(of error: Errno) {
    let now = ContinuousClock.now
    let isDue = shortage.said.withLock { said in
      if let last = said, now - last < .seconds(1) { return false }
      said = now
      return true
    }
    if isDue { logger.warning("a command waits until the system has room for it", metadata: ["error": "\(error)"]) }
  }

  private func log(_ end: CommandEnd, _ event: String) {
    guard !end.output.isEmpty else { return }
    logger.log(
      level: end.status == .exited(0) ? .info : .warning, "the command said",
      metadata: ["eventId": "\(event)", "output": "\(end.output.text)"])
  }
}

/// How a command ended that did not succeed.
struct ExecFailure: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }
}
