import Subprocess
import Testing

/// A command of the system's that a test needs. By the library that the handlers use: Foundation's `waitUntilExit` may wait for ever where
/// another library has children as well.
enum Tool {
  static func run(_ name: String, _ arguments: [String]) async throws {
    let result = try await Subprocess.run(
      .name(name), arguments: Arguments(arguments), output: .discarded, error: .discarded)
    try #require(result.terminationStatus.isSuccess, "\(name) \(arguments.joined(separator: " "))")
  }
}
