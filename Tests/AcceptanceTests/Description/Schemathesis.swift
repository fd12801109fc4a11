import Foundation
import HTTPServer
import TestSupport
import Testing

/// Schemathesis holds what the server answers against `Config/openapi.yaml`.
///
/// README's line for the tests puts it into `.build/python`.
enum Schemathesis {
  static let packages = Repository.root.appending(path: ".build/python")

  /// - Parameters:
  ///   - tag: whose operations it asks for.
  ///   - signs: whether what it sends to the webhook is signed.
  static func run(_ tag: String, at address: ListenAddress, signs: Bool = false, _ arguments: [String] = []) throws
    -> Executable.Result
  {
    let folder = try #require(Bundle.module.url(forResource: "Schemathesis", withExtension: nil))
    // What it writes down goes with this folder.
    let home = try TemporaryFolder()
    var variables = ["PYTHONPATH": packages.path, "HOME": home.path]
    if signs {
      variables["SCHEMATHESIS_HOOKS"] = folder.appending(path: "signing.py").path
      variables["DYNAMIC_WEBHOOK_SECRET"] = Executable.secret
    }
    let process = Executable.process(
      [
        "-m", "schemathesis.cli", "--config-file", folder.appending(path: "schemathesis.toml").path, "run",
        Repository.root.appending(path: "Config/openapi.yaml").path, "--url", address.url, "--include-tag", tag,
        "--phases", "examples,coverage,fuzzing", "--max-examples", "12", "--seed", "1", "--request-timeout", "10",
      ] + arguments, variables)
    process.executableURL = URL(filePath: "/usr/bin/python3")
    process.currentDirectoryURL = URL(filePath: home.path)
    return try withExtendedLifetime(home) { try Executable.finish(process, within: 240) }
  }
}
