import Foundation

/// Counts the instructions of a process of its own.
enum Callgrind {
  struct Failure: Error { let text: String }

  /// Of the operation called `name`, `iterations` times. Valgrind's processor has no SHA instructions, so that what
  /// libcrypto does is dearer here than outside.
  static func instructions(of name: String, iterations: Int) throws -> Int {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    let executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    process.arguments = [
      "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", executable, name, String(iterations),
    ]
    let errors = Pipe()
    process.standardError = errors
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    guard let line = text.split(separator: "\n").first(where: { $0.contains("Collected :") }),
      let count = line.split(separator: " ").last.flatMap({ Int($0) })
    else { throw Failure(text: text) }
    return count
  }
}
