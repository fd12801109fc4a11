import HTTPServer
import Logging
import Receiver
import Signature
import TestSupport
import Testing

@Suite("A request that is refused for its form", .timeLimit(.minutes(2)))
struct RefusalTests {
  static let post = "POST /webhooks/dynamic HTTP/1.1\r\nHost: a\r\n"

  /// Each with the place where a signature goes.
  static let refused: [(status: Int, request: String, hint: String)] = [
    (404, "POST /webhooks/dynamic/ HTTP/1.1\r\nHost: a\r\n%Content-Length: 0\r\n\r\n", "another path"),
    (405, "PUT /webhooks/dynamic HTTP/1.1\r\nHost: a\r\n%Content-Length: 0\r\n\r\n", "only POST"),
    (413, "\(post)%Content-Length: 262145\r\n\r\n", "limits.body"),
    (413, "\(post)%Transfer-Encoding: chunked\r\n\r\n40001\r\n", "limits.body"),
    (431, "\(post)%" + String(repeating: "X: y\r\n", count: 100) + "\r\n", "limits.header"),
    (414, "GET /\(String(repeating: "a", count: 17_000)) HTTP/1.1\r\n%\r\n", "limits.header"),
    (400, "\(post)%Content-Length: 1\r\nContent-Length: 1\r\n\r\n", "not HTTP/1.1"),
    (400, "\(post)%X : y\r\n\r\n", "not HTTP/1.1"),
    (417, "\(post)%Expect: x\r\nContent-Length: 1\r\n\r\n", "not HTTP/1.1"),
    (501, "\(post)%Transfer-Encoding: gzip\r\n\r\n", "not HTTP/1.1"),
    (505, "POST /webhooks/dynamic HTTP/2.0\r\nHost: a\r\n%\r\n", "not HTTP/1.1"),
    (408, "\(post)%Content-Length: 5\r\n\r\nabc", "timeouts.body"),
  ]

  @Test(arguments: refused)
  func `leaves a line that says where to look, and says whether a signature stood there`(
    status: Int, request: String, hint: String
  ) async throws {
    let collector = LogCollector()
    let folder = try TemporaryFolder()
    var configuration = try ReceiverConfiguration(secrets: [Secret(Vector.secret)])
    configuration.listen = .tcp(host: "127.0.0.1", port: 0)
    configuration.privateListen = .tcp(host: "127.0.0.1", port: 0)
    configuration.data = folder.data
    configuration.limits.bodyTimeout = .milliseconds(100)
    let receiver = try Receiver(configuration, logger: collector.logger)
    receiver.start()
    let signature = "X-Dynamic-Signature-256: \(Vector.ping.signature)\r\n"
    for (field, beginning) in [
      ("", "a request was refused: "), (signature, "a delivery with a signature was refused: "),
    ] {
      let client = try Client(receiver.address)
      client.send(request.replacing("%", with: field))
      #expect(client.read(until: "\r\n\r\n").hasPrefix("HTTP/1.1 \(status) "))
      let message = try #require(collector.messages.first { $0.hasPrefix(beginning) })
      #expect(message.contains(hint))
      let metadata = try #require(collector.metadata.last { $0["status"] != nil })
      #expect(metadata["status"]?.description == "\(status)")
      #expect(metadata["path"] == (status == 404 && !field.isEmpty ? "/webhooks/dynamic/" : nil))
    }
    let client = try Client(receiver.privateAddress)
    client.send("GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    #expect(client.read().contains("revoked_refused_deliveries_total{code=\"\(status)\"} 1\n"))
    await receiver.stop()
  }

  @Test func `leaves one line for many of its kind`() async throws {
    let collector = LogCollector()
    let folder = try TemporaryFolder()
    var configuration = try ReceiverConfiguration(secrets: [Secret(Vector.secret)])
    configuration.listen = .tcp(host: "127.0.0.1", port: 0)
    configuration.privateListen = .tcp(host: "127.0.0.1", port: 0)
    configuration.data = folder.data
    let receiver = try Receiver(configuration, logger: collector.logger)
    receiver.start()
    for _ in 0..<20 {
      let client = try Client(receiver.address)
      client.send("GET /wp-login.php HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
      #expect(client.read().hasPrefix("HTTP/1.1 404 "))
    }
    #expect(collector.messages.count { $0.contains("was refused") } == 1)
    #expect(!collector.metadata.contains { "\($0)".contains("wp-login") })
    await receiver.stop()
  }
}
