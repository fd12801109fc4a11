import Foundation
import TestSupport
import Testing

@Suite("The public listener", .timeLimit(.minutes(5)))
struct PublicListenerTests {
  static let signed = "x-dynamic-signature-256: \(Vector.ping.signature)\r\n"

  /// A request without a body, whose answer ends the connection.
  static func request(_ line: String, _ fields: String = "") -> String {
    "\(line)\r\nHost: hooks.example.com\r\nConnection: close\r\n\(fields)\r\n"
  }

  @Test func `it says that it is healthy, and no more`() throws {
    let answer = try RunningServer(in: TemporaryFolder()).answer(to: Self.request("GET /healthz HTTP/1.1"))
    #expect(answer.status == 200)
    #expect(answer.body == "ok")
    #expect(answer.field("Server") == nil)
  }

  @Test(arguments: ["GET", "HEAD", "PUT", "OPTIONS"])
  func `another method on the webhook is 405 and told what is allowed`(method: String) throws {
    let answer = try RunningServer(in: TemporaryFolder()).answer(
      to: Self.request("\(method) /webhooks/dynamic HTTP/1.1"))
    #expect(answer.status == 405)
    #expect(answer.field("Allow") == "POST")
  }

  static let refused: [(Int, String)] = [
    (404, request("GET /echo-me HTTP/1.1")),
    (404, request("POST /webhooks/dynamic/echo-me HTTP/1.1", signed + "Content-Length: 4\r\n") + "echo"),
    (404, request("GET /v1/sessions/\(DeliveryTests.session) HTTP/1.1")),
    (404, request("GET /metrics HTTP/1.1")), (404, request("GET /readyz HTTP/1.1")),
    (413, request("POST /webhooks/dynamic HTTP/1.1", signed + "Content-Length: 262145\r\n")),
    (413, request("POST /webhooks/dynamic HTTP/1.1", signed + "Content-Length: 99999999999999999999\r\n")),
    (413, request("POST /webhooks/dynamic HTTP/1.1", signed + "Transfer-Encoding: chunked\r\n") + "40001\r\necho"),
    (414, "GET /" + String(repeating: "echo", count: 5000) + " HTTP/1.1\r\nHost: a\r\n\r\n"),
    (431, request("GET /healthz HTTP/1.1", "X-Echo: " + String(repeating: "echo", count: 5000) + "\r\n")),
    (431, request("GET /healthz HTTP/1.1", String(repeating: "X-Echo: echo\r\n", count: 100))),
    (417, request("POST /webhooks/dynamic HTTP/1.1", signed + "Content-Length: 4\r\nExpect: 200-echo\r\n")),
    (501, request("POST /webhooks/dynamic HTTP/1.1", signed + "Transfer-Encoding: gzip, chunked\r\n")),
    (505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), (505, request("GET /healthz HTTP/2.0")),
    (400, "\u{16}\u{3}\u{1} echo"), (400, "GET /healthz HTTP/1.1\r\n\r\n"),
    (400, request("POST /webhooks/dynamic HTTP/1.1", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n")),
    (400, request("POST /webhooks/dynamic HTTP/1.1", "Content-Length: 4\r\nContent-Length: 4\r\n") + "echo"),
    (400, request("GET /%zz HTTP/1.1")), (400, request("GET /healthz HTTP/1.1", "X-Echo : echo\r\n")),
  ]

  @Test(arguments: refused)
  func `refusals are problem documents that repeat nothing of the request, and end the connection`(
    status: Int, request: String
  ) throws {
    let server = try RunningServer(in: TemporaryFolder())
    let answer = try server.answer(to: request)
    #expect(answer.status == status)
    #expect(answer.field("Content-Type") == "application/problem+json")
    #expect(answer.field("Connection") == "close")
    #expect(answer.body.contains(#""status":\#(status)"#))
    #expect(!answer.body.lowercased().contains("echo"))
    #expect(try server.post(Vector.ping.text, signature: Vector.ping.signature).status == 200)
  }

  @Test func `limits and deadlines of the configuration hold`() throws {
    let server = try RunningServer(
      in: TemporaryFolder(),
      environment: [
        "REVOKED_LIMITS_BODY": "1KiB", "REVOKED_LIMITS_HEADER": "1KiB", "REVOKED_TIMEOUTS_HEADER": "50ms",
        "REVOKED_TIMEOUTS_BODY": "50ms",
      ])
    let body = String(repeating: "x", count: 1025)
    #expect(try server.post(body, signature: DeliveryTests.sign(body)).status == 413)
    #expect(
      try server.post(String(body.dropLast()), signature: DeliveryTests.sign(String(body.dropLast()))).status == 200)
    #expect(try server.answer(to: Self.request("GET /healthz HTTP/1.1", "X: \(body)\r\n")).status == 431)
    #expect(try server.answer(to: "GET /healthz HTTP/1.1\r\n").status == 408)
    let slowBody = Self.request("POST /webhooks/dynamic HTTP/1.1", Self.signed + "Content-Length: 9\r\n") + "half"
    #expect(try server.answer(to: slowBody).status == 408)
  }

  @Test func `a chunked delivery is as good as a sized one`() throws {
    let server = try RunningServer(in: TemporaryFolder())
    let vector = Vector.sessionRevoked
    let chunks = vector.text.map { "1\r\n\($0)\r\n" }.joined() + "0\r\n\r\n"
    let answer = try server.answer(
      to: Self.request(
        "POST /webhooks/dynamic?from=dynamic HTTP/1.1",
        "x-dynamic-signature-256: \(vector.signature)\r\nTransfer-Encoding: chunked\r\n") + chunks)
    #expect(answer.status == 200)
    #expect(answer.body == #"{"status":"accepted"}"#)
  }
}
