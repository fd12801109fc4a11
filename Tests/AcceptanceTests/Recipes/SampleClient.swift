import Foundation
import HTTPServer

/// Config's cache in Python, as the program that it also is.
final class SampleClient {
  static let python = "/usr/bin/python3"

  private let process: Process
  private let input = Pipe()
  private let output: LogReader
  /// What it logs.
  let errors: LogReader
  private var asked = 0

  init(_ address: ListenAddress, maxAge: Int, token: String? = nil) throws {
    let script = Repository.root.appending(path: "Config/clients/revocations.py").path
    process = Executable.process(
      [script, address.url, "\(maxAge)"], token.map { ["REVOKED_PRIVATE_TOKEN": $0] } ?? [:])
    process.executableURL = URL(filePath: Self.python)
    process.standardInput = input
    let pipe = Pipe()
    process.standardOutput = pipe
    let errorPipe = Pipe()
    process.standardError = errorPipe
    try process.run()
    try pipe.fileHandleForWriting.close()
    try errorPipe.fileHandleForWriting.close()
    output = LogReader(pipe.fileHandleForReading)
    errors = LogReader(errorPipe.fileHandleForReading)
  }

  deinit {
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  /// - Parameter token: a session id, or claims as JSON.
  func refuses(_ token: String) throws -> Bool {
    try input.fileHandleForWriting.write(contentsOf: Data((token + "\n").utf8))
    asked += 1
    let lines = { (text: String) in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() }
    guard output.wait(until: { [asked] in lines($0).count == asked }), let last = lines(output.text).last else {
      throw Silent()
    }
    return last.hasPrefix("refused ")
  }

  struct Silent: Error {}
}
