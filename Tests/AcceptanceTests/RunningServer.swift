import Foundation
import HTTPServer
import TestSupport
import Testing

/// `revoked serve` as a child process, on ports that the kernel picks.
final class RunningServer {
  let folder: TemporaryFolder
  let address: ListenAddress
  let privateAddress: ListenAddress
  let log: LogReader
  private let process: Process

  /// - Parameter wrapper: a command that runs the server, with its arguments.
  init(
    in folder: TemporaryFolder, environment: [String: String] = [:], arguments: [String] = [],
    through wrapper: [String] = []
  ) throws {
    self.folder = folder
    let settings = [
      "DYNAMIC_WEBHOOK_SECRET": Executable.secret, "REVOKED_LISTEN": "127.0.0.1:0",
      "REVOKED_PRIVATE_LISTEN": "127.0.0.1:0", "REVOKED_DATA": folder.data,
    ]
    var variables = settings.merging(environment) { $1 }
    // Both together would count both.
    if environment["DYNAMIC_WEBHOOK_SECRET_FILE"] != nil { variables["DYNAMIC_WEBHOOK_SECRET"] = nil }
    process = Executable.process(["serve"] + arguments, variables)
    if let command = wrapper.first {
      process.executableURL = URL(filePath: command)
      process.arguments = wrapper.dropFirst() + [Executable.url.path, "serve"] + arguments
    }
    let pipe = Pipe()
    process.standardError = pipe
    try process.run()
    try pipe.fileHandleForWriting.close()
    log = LogReader(pipe.fileHandleForReading)
    address = try #require(log.address(after: "listening public="))
    privateAddress = try #require(log.address(after: "listening private="))
  }

  var processIdentifier: Int32 { process.processIdentifier }

  deinit {
    if process.isRunning { signal(SIGKILL) }
    process.waitUntilExit()
  }

  func signal(_ number: Int32) {
    kill(process.processIdentifier, number)
  }

  /// The exit status; of a process ended by a signal its number.
  func exit() -> Int32 {
    process.waitUntilExit()
    return process.terminationStatus
  }

  func post(_ body: String, signature: String, path: String = "/webhooks/dynamic") throws -> Answer {
    try post(body, fields: "x-dynamic-signature-256: \(signature)\r\n", path: path)
  }

  func post(_ body: String, fields: String, path: String = "/webhooks/dynamic") throws -> Answer {
    let head =
      "POST \(path) HTTP/1.1\r\nHost: hooks.example.com\r\nContent-Type: application/json\r\nConnection: close\r\n"
    return try exchange(head + fields + "Content-Length: \(body.utf8.count)\r\n\r\n" + body, with: address)
  }

  func get(_ path: String, fields: String = "") throws -> Answer {
    try exchange("GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\(fields)\r\n", with: privateAddress)
  }

  /// The value of one sample on the metrics page.
  func metric(_ sample: String) throws -> Double? {
    let line = try get("/metrics").body.split(separator: "\n").first { $0.hasPrefix(sample + " ") }
    return line.flatMap { Double($0.dropFirst(sample.count + 1)) }
  }

  private func exchange(_ request: String, with address: ListenAddress) throws -> Answer {
    let client = try Client(address)
    client.send(request)
    return try #require(Answer(client.read()))
  }
}

struct Answer {
  let status: Int
  let head: String
  let body: String

  init?(_ text: String) {
    guard text.hasPrefix("HTTP/1.1 "), let status = Int(text.dropFirst(9).prefix(3)),
      let end = text.range(of: "\r\n\r\n")
    else { return nil }
    self.status = status
    head = String(text[..<end.lowerBound])
    body = String(text[end.upperBound...])
  }
}
