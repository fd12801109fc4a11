import Dispatch
import Foundation

extension Executable {
  /// `serve` where it should refuse to start.
  static func serve(_ arguments: [String] = [], environment: [String: String]) throws -> Result {
    try finish(process(["serve"] + arguments, environment))
  }

  /// A command without input.
  static func run(
    _ arguments: [String], environment: [String: String] = ["DYNAMIC_WEBHOOK_SECRET": secret]
  ) throws -> Result {
    try finish(process(arguments, environment))
  }

  /// Runs a process to its end. One that goes on for longer is killed, and its status tells.
  static func finish(_ process: Process, within seconds: Double = 120) throws -> Result {
    let (stdout, stderr) = (Pipe(), Pipe())
    process.standardOutput = stdout
    process.standardError = stderr
    try process.run()
    let number = process.processIdentifier
    let alarm = DispatchWorkItem { kill(number, SIGKILL) }
    DispatchQueue.global().asyncAfter(deadline: .now() + seconds, execute: alarm)
    // What these processes say is far smaller than a pipe's buffer.
    let output = try stdout.fileHandleForReading.readToEnd() ?? Data()
    let errors = try stderr.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    alarm.cancel()
    return Result(
      status: process.terminationStatus, output: String(decoding: output, as: UTF8.self),
      errors: String(decoding: errors, as: UTF8.self))
  }
}
