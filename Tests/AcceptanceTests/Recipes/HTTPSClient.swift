import Foundation
import TestSupport

/// Asks a proxy over TLS, by names that the certificate must hold.
struct HTTPSClient {
  static let curl = "/usr/bin/curl"

  let port: UInt16
  let certificate: Certificate
  let folder: TemporaryFolder

  func get(_ url: String, fields: [String] = []) throws -> Answer { try send("GET", url, fields, nil) }

  func post(_ url: String, fields: [String], _ body: String) throws -> Answer { try send("POST", url, fields, body) }

  func options(_ url: String, fields: [String]) throws -> Answer { try send("OPTIONS", url, fields, nil) }

  /// Asks over and over, over 16 connections, and returns how often each status came.
  func statuses(of url: String, times: Int, fields: [String]) throws -> [Int: Int] {
    var arguments = [
      "--silent", "--show-error", "--parallel", "--parallel-max", "16", "--max-time", "120", "--output", "/dev/null",
      "--write-out", "%{http_code}\n", "--cacert", certificate.chain, "--connect-to", "::127.0.0.1:\(port)",
      "--http1.1", "\(url)&n=[1-\(times)]",
    ]
    for field in fields { arguments += ["--header", field] }
    let result = try Program.run(Self.curl, arguments)
    let codes = result.output.split(separator: "\n").compactMap { Int($0) }
    return Dictionary(codes.map { ($0, 1) }, uniquingKeysWith: +)
  }

  private func send(_ method: String, _ url: String, _ fields: [String], _ body: String?) throws -> Answer {
    var arguments = [
      "--silent", "--show-error", "--include", "--http1.1", "--max-time", "30", "--path-as-is", "--cacert",
      certificate.chain, "--connect-to", "::127.0.0.1:\(port)", "--request", method, url,
    ]
    for field in ["Expect:"] + fields { arguments += ["--header", field] }
    if let body { arguments += ["--data-binary", "@" + (try folder.write(body, to: "sent"))] }
    let result = try Program.run(Self.curl, arguments)
    guard let answer = Answer(result.output) else { throw NoAnswer(errors: result.errors) }
    return answer
  }

  struct NoAnswer: Error {
    let errors: String
  }
}
