import Foundation

/// The built executable, run as a user runs it.
enum Executable {
  struct Result {
    var status: Int32
    var output: String
    var errors: String
  }

  /// The test bundle lies beside it.
  static let url = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "revoked")

  static func process(_ arguments: [String], _ environment: [String: String]) -> Process {
    let process = Process()
    process.executableURL = url
    process.arguments = arguments
    // Nothing of the tester's own configuration counts.
    let sanitizers = ProcessInfo.processInfo.environment.filter { $0.key.hasSuffix("SAN_OPTIONS") }
    process.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"].merging(sanitizers) { $1 }.merging(environment) {
      $1
    }
    process.standardInput = FileHandle.nullDevice
    return process
  }

  /// Runs a command to its end.
  static func run(
    _ arguments: String..., environment: [String: String] = ["DYNAMIC_WEBHOOK_SECRET": secret], input: [UInt8] = []
  ) throws -> Result {
    let process = process(arguments, environment)
    let (stdin, stdout, stderr) = (Pipe(), Pipe(), Pipe())
    process.standardInput = stdin
    process.standardOutput = stdout
    process.standardError = stderr
    try process.run()
    try stdin.fileHandleForWriting.write(contentsOf: input)
    try stdin.fileHandleForWriting.close()
    // A command's output is far smaller than a pipe's buffer.
    let output = try stdout.fileHandleForReading.readToEnd() ?? Data()
    let errors = try stderr.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return Result(
      status: process.terminationStatus, output: String(decoding: output, as: UTF8.self),
      errors: String(decoding: errors, as: UTF8.self))
  }

  /// What a command prints on a terminal.
  static func runOnTerminal(_ arguments: [String]) throws -> String {
    let process = process([], [:])
    process.executableURL = URL(filePath: "/usr/bin/script")
    let command = ([url.path] + arguments).map { "'\($0)'" }.joined(separator: " ")
    process.arguments = ["--quiet", "--return", "--command", command, "/dev/null"]
    let stdout = Pipe()
    process.standardOutput = stdout
    try process.run()
    let output = try stdout.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return String(decoding: output, as: UTF8.self)
  }

  static let secret = "dyn_5LqRXtZsXit7Cjt9KktC8EGywoSkGSbGqtTud[S7AYd{LUTMcS38QRMT"
}
