public import DynamicEvents
internal import Foundation
public import Logging
internal import Subprocess
internal import SystemPackage

/// The handler of kind `exec`: runs a command for each event, without a shell.
///
/// The command has the event's JSON on its standard input, byte for byte as it was signed, and an environment of `PATH`,
/// `REVOKED_EVENT_ID`, `REVOKED_EVENT_NAME` and, for an event about a session, `REVOKED_SESSION_ID`. Exit code 0 means done, 78 (EX_CONFIG)
/// that no other attempt will help; after any other, or a signal, the event comes again. When the attempt is cancelled, as it is at its
/// deadline, the command's whole process group is killed. What the command prints is logged, 4 KiB of it.
public struct ExecHandler: EventHandler {
  /// For a receiver that was started without a `PATH`.
  package static let standardPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

  private let program: String
  private let arguments: [String]
  private let path: String
  private let logger: Logger

  /// - Parameter program: a path if it holds a `/`, else looked for in our `PATH`.
  public init(_ program: String, _ arguments: [String] = [], logger: Logger) {
    self.program = program
    self.arguments = arguments
    self.logger = logger
    path = ProcessInfo.processInfo.environment["PATH"] ?? Self.standardPath
  }

  /// Throws `Undeliverable` for exit code 78, and an error of its own that says how the command ended for any other but 0.
  public func handle(_ event: Event) async throws {
    let id = try event.deliveryID
    let input = try MemoryFile(event.body)
    defer { withExtendedLifetime(input) {} }
    let result = try await Subprocess.run(
      program.contains("/") ? .path(FilePath(program)) : .name(program), arguments: Arguments(arguments),
      environment: .custom(environment(of: event, id)), platformOptions: Self.options,
      input: .fileDescriptor(input.descriptor, closeAfterSpawningProcess: false), output: .sequence,
      error: .combinedWithOutput
    ) { execution in
      var output = BoundedOutput()
      for try await bytes in execution.standardOutput { output.append(bytes) }
      return output
    }
    log(result.closureResult, result.terminationStatus, id)
    switch result.terminationStatus {
    case .exited(0): return
    case .exited(78): throw Undeliverable("the command refused the event (exit code 78)")
    case let status: throw ExecFailure(status)
    }
  }

  /// A group of its own, so that the command's children can be killed with it, and a signal from a terminal does not reach it.
  private static var options: PlatformOptions {
    var options = PlatformOptions()
    options.processGroupID = 0
    // Killed, not asked: a child that does not listen would outlive its leader, and nobody would know of it any more.
    options.teardownSequence = [.send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .seconds(1))]
    return options
  }

  private func environment(of event: Event, _ id: String) -> [Environment.Key: String] {
    var environment: [Environment.Key: String] = ["PATH": path, "REVOKED_EVENT_ID": id]
    // A name that a shell or a log may stumble over is in the body for those who want it.
    if event.envelope.eventName.isPlain { environment["REVOKED_EVENT_NAME"] = event.envelope.eventName }
    if case .sessionRevoked(let session, _) = event.payload { environment["REVOKED_SESSION_ID"] = "\(session.id)" }
    return environment
  }

  private func log(_ output: BoundedOutput, _ status: TerminationStatus, _ event: String) {
    guard !output.isEmpty else { return }
    logger.log(
      level: status.isSuccess ? .info : .warning, "the command said",
      metadata: ["eventId": "\(event)", "output": "\(output.text)"])
  }
}
