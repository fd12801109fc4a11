import DynamicEvents
import Foundation
import Handlers
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2)))
struct ForwardHandlerTests {
  private static let first = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
  private static let second = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"

  private func event(id: String = "7") throws -> Event {
    try Event(body: Array(#"{"eventId":"\#(id)", "eventName":"user.wallet.linked", "text":"ä"}"#.utf8))
  }

  private func handler(_ url: URL, _ secrets: [String] = [first]) throws -> ForwardHandler {
    ForwardHandler(url, secrets: try secrets.map { try WebhookSecret($0) })
  }

  /// Where README's line for the tests puts the official library.
  private static let packages = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: ".build/python").path

  /// In CI it has to be.
  private static let isLibraryHere =
    FileManager.default.fileExists(atPath: packages + "/standardwebhooks")
    || ProcessInfo.processInfo.environment["CI"] != nil

  @Test(.enabled(if: isLibraryHere))
  func `The official library verifies a delivery with each of its secrets, and refuses it with another`() async throws {
    let peer = try Peer(verifying: [Self.first, Self.second], packages: Self.packages)
    try await handler(peer.url("/200"), [Self.first, Self.second]).handle(event())
    let error = await #expect(throws: (any Error).self) {
      try await handler(peer.url("/200"), [Self.first]).handle(event())
    }
    #expect(error.map { "\($0)" } == "the endpoint answered 400")
  }

  @Test func `A delivery has the body as it was signed, and the event's id in every attempt`() async throws {
    let peer = try Peer()
    let handler = try handler(peer.url("/204"), [Self.first, Self.second])
    let event = try event()
    for _ in 1...2 {
      try await handler.handle(event)
      let request = try peer.next()
      #expect(Array(request.body.utf8) == event.body)
      #expect(request.headers["webhook-id"] == "7")
      #expect(request.headers["content-type"] == "application/json")
      #expect(request.headers["user-agent"] == "revoked")
      #expect(request.headers["webhook-signature"]?.split(separator: " ").map { $0.prefix(3) } == ["v1,", "v1,"])
      let sent = try #require(request.headers["webhook-timestamp"].flatMap { Double($0) })
      #expect(abs(sent - Date().timeIntervalSince1970) < 120)
    }
    try await handler.handle(self.event(id: #"a\r\nb: c"#))
    // The first 16 bytes of the id's SHA-256.
    #expect(try peer.next().headers["webhook-id"] == "a58d4d8acf4c434b7d85def3962b8962")
    // Standard Webhooks forbids a dot in it.
    try await handler.handle(self.event(id: "a.b"))
    #expect(try peer.next().headers["webhook-id"] == "2e7336dc8eba87ef472df568c35482ab")
  }

  @Test func `A connection is used again`() async throws {
    let peer = try Peer()
    let handler = try handler(peer.url("/200?bytes=1000"))
    var ports: Set<String> = []
    for _ in 1...5 {
      try await handler.handle(event())
      ports.insert(try peer.next().port)
    }
    #expect(ports.count == 1)
  }

  @Test(arguments: [301, 302, 303, 307, 308])
  func `A redirect is not followed`(status: Int) async throws {
    let peer = try Peer()
    let error = await #expect(throws: (any Error).self) {
      try await handler(peer.url("/\(status)?location=/200")).handle(event())
    }
    #expect(error.map { "\($0)" } == "the endpoint answered \(status)")
    #expect(try peer.next().path == "/\(status)")
    try await handler(peer.url("/204")).handle(event())
    #expect(try peer.next().path == "/204")
  }

  @Test(arguments: [400, 401, 404, 408, 425, 429, 500, 503])
  func `An answer other than 2xx is retried`(status: Int) async throws {
    let peer = try Peer()
    let error = await #expect(throws: (any Error).self) {
      try await handler(peer.url("/\(status)")).handle(event())
    }
    #expect(error.map { "\($0)" } == "the endpoint answered \(status)")
    #expect(!(error is Undeliverable) && !(error is RetryLater))
  }

  @Test func `410 makes a dead letter, and Retry-After says when to come again`() async throws {
    let peer = try Peer()
    await #expect(throws: Undeliverable.self) { try await handler(peer.url("/410")).handle(event()) }
    let error = await #expect(throws: RetryLater.self) {
      try await handler(peer.url("/503?retry-after=7")).handle(event())
    }
    #expect(error?.pause == .seconds(7))
  }

  @Test func `However much a receiver answers, its status counts`() async throws {
    let peer = try Peer()
    try await handler(peer.url("/200?bytes=100000000")).handle(event())
    await #expect(throws: Undeliverable.self) { try await handler(peer.url("/410?bytes=100000000")).handle(event()) }
  }

  @Test func `No listener is a failure that does not show the URL`() async throws {
    let url = try Peer().url("/200?token=hidden")
    let error = await #expect(throws: (any Error).self) { try await handler(url).handle(event()) }
    #expect(error.map { "\($0)".hasPrefix("the request failed: ") && !"\($0)".contains("hidden") } == true)
  }

  @Test(arguments: 0..<50)
  func `A cancelled attempt ends, though the receiver never answers, whenever the cancellation comes`(yields: Int)
    async throws
  {
    // Bound, and the kernel accepts; nothing reads.
    let silent = try SilentListener()
    let url = try #require(URL(string: "http://127.0.0.1:\(silent.port)/"))
    let handler = try handler(url)
    let event = try event()
    let attempt = Task { try await handler.handle(event) }
    for _ in 0..<yields { await Task.yield() }
    attempt.cancel()
    await #expect(throws: (any Error).self) { try await attempt.value }
  }
}
