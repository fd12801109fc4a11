internal import Foundation

/// An HTTP endpoint that answers exactly what it is told to, as a child process: `endpoint.py` says how.
package final class Endpoint {
  package struct Counts: Decodable {
    package let requests: Int
    package let connections: Int
    package let open: Int
  }

  private let process = Process()
  private let folder: TemporaryFolder
  package let port: Int

  package struct NotStarted: Error {}

  /// - Parameter arguments: of `endpoint.py`.
  package init(_ arguments: [String] = []) throws {
    folder = try TemporaryFolder()
    guard let script = Bundle.module.path(forResource: "endpoint", ofType: "py") else { throw NotStarted() }
    let output = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", script, "--folder", folder.path] + arguments
    process.standardOutput = output
    try process.run()
    // Else our own end would keep a dead child's output open.
    try output.fileHandleForWriting.close()
    var digits: [UInt8] = []
    while let byte = try output.fileHandleForReading.read(upToCount: 1)?.first, byte != 0x0A { digits.append(byte) }
    guard let port = Int(String(decoding: digits, as: UTF8.self)) else { throw NotStarted() }
    self.port = port
  }

  // SIGTERM would do nothing: the child has the signal mask of the thread that started it, and Dispatch's threads block
  // it.
  deinit { kill(process.processIdentifier, SIGKILL) }

  /// The certificate authority that its certificate is of.
  package var authority: String { folder.path + "/ca.pem" }
}

/// How much memory a process has, in bytes.
package struct ProcessMemory {
  private let folder: String

  package struct Unreadable: Error {}

  /// - Parameter process: its number, or `self`.
  package init(of process: String = "self") { folder = "/proc/\(process)" }

  /// Forgets the peak so far, and returns what is used now.
  package func resetPeak() throws -> Int {
    try Data("5".utf8).write(to: URL(filePath: folder + "/clear_refs"))
    return try peak()
  }

  package func peak() throws -> Int {
    let status = try String(contentsOfFile: folder + "/status", encoding: .utf8)
    guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
      let kilobytes = Int(line.filter(\.isNumber))
    else { throw Unreadable() }
    return kilobytes * 1024
  }
}

/// Answers of HTTP endpoints, and what bad luck or malice makes of them.
package enum EndpointAnswers {
  package static let good: [String] = [
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 204 No Content\r\nServer: x\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n1;a=b\r\n!\r\n0\r\nTrailer: t\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 201 "
      + "Created\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil the end",
    "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 410 Gone\r\nConnection: close\r\nContent-Length: 4\r\n\r\ngone",
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: Sunday, 06-Nov-94 08:49:37 GMT\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nxyz",
    "HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nAlt-Svc: h2=\":1\"\r\nContent-Length: 1\r\n\r\nx",
    "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\nx",
  ]

  /// Answers without an end: how each begins, what of it is repeated, and whether its head is whole.
  package static let endless: [(start: String, piece: String, isHeadWhole: Bool)] = {
    let head = "HTTP/1.1 200 OK\r\n"
    let chunked = head + "Transfer-Encoding: chunked\r\n\r\n"
    return [
      (head + "\r\n", "x", true), (head + "Content-Length: 9000000000000000000\r\n\r\n", "x", true),
      (chunked, "10000\r\n" + String(repeating: "x", count: 65_536) + "\r\n", true), (chunked, "1\r\nx\r\n", true),
      (chunked + "0\r\n", "Trailer: x\r\n", true), (head, "Field: x\r\n", false), (head + "Field: ", "x", false),
      ("", "HTTP/1.1 100 Continue\r\n\r\n", false), ("", "x", false), ("HTTP/1.1 ", "2", false),
    ]
  }()

  /// A line for the file of `--answers`.
  package static func line(_ answer: [UInt8], _ fields: [String: String]) throws -> String {
    let object = fields.merging(["answer": Data(answer).base64EncodedString()]) { $1 }
    return String(decoding: try JSONEncoder().encode(object), as: UTF8.self) + "\n"
  }

  private static let pieces: [[UInt8]] =
    [
      "\r\n", "\n", "\r", "\0", ":", " ", "\r\n\r\n", "0", "-1", "9223372036854775808", "18446744073709551616",
      "ffffffffffffffff",
      "Content-Length: 9223372036854775800\r\n", "Content-Length: 1\r\n", "Transfer-Encoding: chunked\r\n",
      "Transfer-Encoding: gzip\r\n", "Transfer-Encoding: gzip, chunked\r\n", "Connection: close\r\n",
      "Upgrade: h2c\r\n",
      "HTTP/2 200\r\n", "HTTP/1.1 101 Switching Protocols\r\n\r\n", "HTTP/1.1 100\r\n\r\n",
      "Retry-After: 99999999999999999999\r\n",
      "Location: \u{1b}]52;c;x\u{7}\r\n", " folded\r\n", "\u{e4}\u{202e}", "PRI * HTTP/2.0\r\n\r\n", "\t",
    ].map { Array($0.utf8) } + [[0xE4], [0xFF, 0xFE], [UInt8](repeating: 0x61, count: 5000)]

  /// A good answer with one to six changes.
  package static func mutated(_ random: inout SplitMix) -> [UInt8] {
    var bytes = Array((good.randomElement(using: &random) ?? "").utf8)
    for _ in 0..<Int.random(in: 1...6, using: &random) {
      let place = Int.random(in: 0...bytes.count, using: &random)
      let end = min(bytes.count, place + Int.random(in: 0...12, using: &random))
      switch Int.random(in: 0...6, using: &random) {
      case 0: bytes.removeSubrange(place..<end)
      case 1: bytes.removeSubrange(place...)
      case 2: bytes.insert(contentsOf: bytes[place..<end], at: place)
      case 3 where place < bytes.count: bytes[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
      case 4 where place < bytes.count: bytes[place] = .random(in: 0...255, using: &random)
      default: bytes.insert(contentsOf: pieces.randomElement(using: &random) ?? [], at: place)
      }
    }
    return bytes
  }
}
