import Foundation
import Testing

/// A real HTTP server of another make, as a child process: `peer.py`.
final class Peer {
  struct Request: Decodable {
    let headers: [String: String]
    let body: String
    let port: String
    let path: String
  }

  private let process = Process()
  private let output = Pipe()
  private let scheme: String
  private let port: Int

  /// - Parameters:
  ///   - secrets: verified by the official library, which is found in `packages`.
  ///   - certificate: has it speak TLS.
  init(verifying secrets: [String] = [], packages: String? = nil, certificate: SelfSigned? = nil) throws {
    scheme = certificate == nil ? "http" : "https"
    let script = try #require(Bundle.module.path(forResource: "peer", ofType: "py"))
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", script] + secrets
    var variables = ProcessInfo.processInfo.environment
    if let packages { variables["PYTHONPATH"] = packages }
    if let certificate { variables["PEER_CERTIFICATE"] = certificate.both }
    process.environment = variables
    process.standardOutput = output
    try process.run()
    // Else our own end would keep a dead peer's output open.
    try output.fileHandleForWriting.close()
    port = try #require(Int(Self.line(of: output)), "python3 did not start the peer")
  }

  deinit {
    // SIGTERM would do nothing: the child has the signal mask of the thread that started it, and Dispatch's threads
    // block it. Not waited for: `waitUntilExit` may wait for ever where another library has children as well.
    // Foundation reaps it.
    kill(process.processIdentifier, SIGKILL)
  }

  func url(_ path: String) throws -> URL {
    try #require(URL(string: "\(scheme)://127.0.0.1:\(port)\(path)"))
  }

  /// The next request. The peer prints it before it answers.
  func next() throws -> Request {
    try JSONDecoder().decode(Request.self, from: Data(Self.line(of: output).utf8))
  }

  private static func line(of pipe: Pipe) -> String {
    var line: [UInt8] = []
    while let byte = try? pipe.fileHandleForReading.read(upToCount: 1)?.first, byte != 0x0A { line.append(byte) }
    return String(decoding: line, as: UTF8.self)
  }
}
