import Foundation
import Receiver
import TestSupport
import Testing

@Suite("The feed of revocations", .timeLimit(.minutes(2)))
struct FeedTests {
  static let ids = SessionCheckTests.ids

  struct Line: Decodable, Equatable {
    var cursor: String
    var sessionId: String
    var revokedAt: String
    var expiresAt: String
  }

  /// The lines of an answer that ended whole.
  func lines(_ answer: String) throws -> [Line] {
    #expect(answer.status == 200)
    #expect(answer.field("Content-Type") == "application/x-ndjson")
    var text = answer.content
    if answer.field("Transfer-Encoding") == "chunked" {
      // Bytes, because a CR and a LF are one Character.
      var rest = Array(answer.content.utf8)[...]
      text = ""
      while let end = rest.firstIndex(of: 0x0d),
        let size = Int(String(decoding: rest[..<end], as: UTF8.self), radix: 16)
      {
        text += String(decoding: rest[(end + 2)...].prefix(size), as: UTF8.self)
        rest = rest[(end + 2)...].dropFirst(size + 2)
        if size == 0 { break }
      }
      try #require(answer.hasSuffix("\r\n0\r\n\r\n"))
      try #require(rest.isEmpty)
    }
    #expect(text.isEmpty || text.hasSuffix("\n"))
    return try text.split(separator: "\n").map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
  }

  @Test("is read from the beginning, and on from any of its cursors")
  func snapshotAndTail() async throws {
    let served = try ServedReceiver(in: TemporaryFolder())
    #expect(try lines(served.ask("GET", "/v1/revocations")) == [])
    for index in 0..<5 { try served.revoke(Self.ids[index]) }
    let answer = try served.ask("GET", "/v1/revocations")
    #expect(answer.field("X-Revoked-Last-Event") != nil)
    let all = try lines(answer)
    #expect(all.map(\.sessionId) == Array(Self.ids[0..<5]))
    #expect(all[0].revokedAt == "2026-10-01T09:00:00.348Z")
    #expect(all[0].expiresAt.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
    for (index, line) in all.enumerated() {
      let rest = try lines(served.ask("GET", "/v1/revocations?after=\(line.cursor)"))
      #expect(rest == Array(all[(index + 1)...]))
    }
    let two = try lines(served.ask("GET", "/v1/revocations?limit=2&after=\(all[1].cursor)"))
    #expect(two == Array(all[2...3]))
    let head = try served.ask("HEAD", "/v1/revocations")
    #expect(head.status == 200)
    #expect(head.content.isEmpty)
    #expect(head.field("Content-Length") == answer.field("Content-Length"))
    await served.receiver.stop()
  }

  @Test("comes in chunks when it is long, and is the same for a peer that knows none")
  func long() async throws {
    let served = try ServedReceiver(in: TemporaryFolder())
    for id in Self.ids[0..<400] { try served.revoke(id) }
    let answer = try served.ask("GET", "/v1/revocations")
    #expect(answer.field("Transfer-Encoding") == "chunked")
    let all = try lines(answer)
    #expect(all.map(\.sessionId) == Array(Self.ids[0..<400]))
    let client = try Client(served.receiver.privateAddress)
    client.send("GET /v1/revocations HTTP/1.0\r\n\r\n")
    let old = client.read()
    #expect(old.field("Connection") == "close")
    #expect(try lines(old) == all)
    for limit in [127, 128, 129, 256, 399, 400, 401] {
      #expect(try lines(served.ask("GET", "/v1/revocations?limit=\(limit)")).count == min(limit, 400))
    }
    #expect(try served.ask("HEAD", "/v1/revocations").content.isEmpty)
    await served.receiver.stop()
  }

  @Test("wakes who waits with the next revocation, once")
  func longPoll() async throws {
    let served = try ServedReceiver(in: TemporaryFolder())
    let (first, second) = (try Client(served.receiver.privateAddress), try Client(served.receiver.privateAddress))
    try served.revoke(Self.ids[0])
    let cursor = try #require(lines(served.ask("GET", "/v1/revocations")).last).cursor
    for client in [first, second] {
      client.send("GET /v1/revocations?after=\(cursor)&wait=50 HTTP/1.1\r\nHost: a\r\n\r\n")
    }
    // Known already: nothing comes of it.
    try served.revoke(Self.ids[0], event: "the-same-session-again")
    try served.revoke(Self.ids[1])
    for client in [first, second] {
      let answer = client.read(until: "}\n")
      #expect(try lines(answer).map(\.sessionId) == [Self.ids[1]])
      #expect(answer.field("X-Revoked-Last-Event") != nil)
    }
    // What is there already is not waited for.
    #expect(try lines(served.ask("GET", "/v1/revocations?after=\(cursor)&wait=50")).count == 1)
    await served.receiver.stop()
  }

  @Test("answers empty when nothing came in time")
  func waitEnds() async throws {
    let served = try ServedReceiver(in: TemporaryFolder())
    #expect(try lines(served.ask("GET", "/v1/revocations?wait=1")) == [])
    #expect(try lines(served.ask("GET", "/v1/revocations?wait=0")) == [])
    await served.receiver.stop()
  }

  @Test("lets nobody wait while the receiver stops")
  func stopping() async throws {
    let served = try ServedReceiver(in: TemporaryFolder())
    try served.revoke(Self.ids[0])
    let cursor = try #require(lines(served.ask("GET", "/v1/revocations")).last).cursor
    let clients = try (0..<8).map { _ in try Client(served.receiver.privateAddress) }
    for client in clients {
      client.send(
        "GET /livez HTTP/1.1\r\nHost: a\r\n\r\nGET /v1/revocations?after=\(cursor)&wait=50 HTTP/1.1\r\nHost: a\r\n\r\n")
      // Until the server has read both.
      #expect(client.read(until: "ok").contains("200 OK"))
    }
    await served.receiver.stop()
    for client in clients {
      #expect(try lines(client.read()) == [])
    }
  }

  @Test("refuses a cursor that it has not given out: the caller must start again")
  func unknownCursor() async throws {
    let (served, other) = (try ServedReceiver(in: TemporaryFolder()), try ServedReceiver(in: TemporaryFolder()))
    for each in [served, other] { try each.revoke(Self.ids[0]) }
    let cursor = try #require(lines(other.ask("GET", "/v1/revocations")).last).cursor
    let answer = try served.ask("GET", "/v1/revocations?after=\(cursor)&wait=50")
    #expect(answer.status == 410)
    #expect(answer.field("Content-Type") == "application/problem+json")
    #expect(answer.field("X-Revoked-Last-Event") != nil)
    for each in [served, other] { await each.receiver.stop() }
  }

  @Test("refuses a query that it does not understand whole")
  func malformed() async throws {
    let served = try ServedReceiver(in: TemporaryFolder())
    let bad = [
      "after=1", "after=x-1", "after=00000000-0", "limit=", "limit=0", "limit=-1", "limit=+1", "limit=1.5",
      "limit=1234567890", "limit=%31", "wait=1234567890", "wait=-1", "wait=1s", "wait=", "wait=1&wait=1",
      "limit=1&limit=2",
      "after=00000000-1&after=00000000-1", "from=1", "After=00000000-1", "wait", "limit=1?wait=1", "a",
      "limit=1;wait=1",
      "wait=1&&limit=1", "&",
    ]
    for query in bad {
      let answer = try served.ask("GET", "/v1/revocations?\(query)")
      #expect(answer.status == 400, "\(query)")
      #expect(answer.field("Content-Type") == "application/problem+json")
    }
    for query in ["", "after=", "after=&wait=0", "wait=0", "limit=1&wait=0", "limit=999999999", "limit=1&"] {
      #expect(try served.ask("GET", "/v1/revocations?\(query)").status == 200, "\(query)")
    }
    for method in ["PUT", "DELETE"] {
      let answer = try served.ask(method, "/v1/revocations")
      #expect(answer.status == 405)
      #expect(answer.field("Allow") == "GET, HEAD, POST")
    }
    #expect(try served.ask("GET", "/v1/revocations/").status == 404)
    await served.receiver.stop()
  }
}
