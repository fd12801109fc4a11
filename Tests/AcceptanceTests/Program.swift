import Foundation

/// A program of the system, run to its end.
enum Program {
  static func run(_ path: String, _ arguments: [String]) throws -> Executable.Result {
    let process = Executable.process(arguments, [:])
    process.executableURL = URL(filePath: path)
    return try Executable.finish(process)
  }
}
