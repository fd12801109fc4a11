import Foundation

/// Counts the system calls of a process of its own.
enum SystemCalls {
  struct Failure: Error { let text: String }

  /// Of the operation called `name`, `iterations` times.
  static func count(of name: String, iterations: Int) throws -> Int {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    let executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    process.arguments = ["strace", "-f", "-c", "-S", "calls", executable, name, String(iterations)]
    let errors = Pipe()
    process.standardError = errors
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    // "100.00    0.123456           1     12345        67 total"
    guard let line = text.split(separator: "\n").last(where: { $0.hasSuffix(" total") }),
      let count = line.split(separator: " ").dropFirst(3).first.flatMap({ Int($0) })
    else { throw Failure(text: text) }
    return count
  }
}
