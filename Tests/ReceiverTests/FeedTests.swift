import DynamicEvents
import Foundation
import Receiver
import RevocationStore
import Storage
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

  struct End: Decodable, Equatable {
    var end: String
    var cursor: String
  }

  /// An answer that ended whole.
  struct Whole {
    var lines: [Line]
    var end: End
  }

  func whole(_ answer: String) throws -> Whole {
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
    try #require(text.hasSuffix("\n"))
    let lines = text.split(separator: "\n").map { Data($0.utf8) }
    return Whole(
      lines: try lines.dropLast().map { try JSONDecoder().decode(Line.self, from: $0) },
      end: try JSONDecoder().decode(End.self, from: try #require(lines.last)))
  }

  /// The entries of a complete answer, whose end has the cursor of the last.
  func lines(_ answer: String) throws -> [Line] {
    let whole = try whole(answer)
    #expect(whole.end.end == "complete")
    if let last = whole.lines.last { #expect(whole.end.cursor == last.cursor) }
    return whole.lines
  }

  @Test func `is read from the beginning, and on from any of its cursors`() async throws {
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
    let two = try whole(served.ask("GET", "/v1/revocations?limit=2&after=\(all[1].cursor)"))
    #expect(two.lines == Array(all[2...3]))
    #expect(two.end == End(end: "limit", cursor: all[3].cursor))
    let head = try served.ask("HEAD", "/v1/revocations")
    #expect(head.status == 200)
    #expect(head.content.isEmpty)
    #expect(head.field("Content-Length") == answer.field("Content-Length"))
    await served.receiver.stop()
  }

  @Test func `comes in chunks when it is long, and is the same for a peer that knows none`() async throws {
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
    for limit in [1, 199, 200, 201, 399, 400, 401] {
      let some = try whole(served.ask("GET", "/v1/revocations?limit=\(limit)"))
      #expect(some.lines == Array(all.prefix(limit)))
      #expect(some.end == End(end: limit < 400 ? "limit" : "complete", cursor: all[min(limit, 400) - 1].cursor))
    }
    #expect(try served.ask("HEAD", "/v1/revocations").content.isEmpty)
    await served.receiver.stop()
  }

  /// A store with so many revoked sessions, and the session of each number.
  private func fill(_ folder: TemporaryFolder, _ count: Int) throws -> (Int) throws -> SessionID {
    let session = { (number: Int) throws -> SessionID in
      let digits = String(number, radix: 16)
      return try #require(
        SessionID("10000000-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits))
    }
    let now = Timestamp(Date())
    let store = try RevocationStore(data: folder.data, mode: .serve)
    for start in stride(from: 0, to: count, by: 1000) {
      _ = try store.append(
        (start..<min(start + 1000, count)).map { number in
          IncomingEvent(
            key: try #require(EventKey(bytes: try session(number).bytes)), messageID: nil, body: [], receivedAt: now,
            occurredAt: now,
            kind: .sessionRevoked(
              SessionRevoked(
                name: "user.session.revoked", eventID: nil, session: try session(number), by: .user, revokedAt: now,
                createdAt: now)))
        })
    }
    try store.close()
    return session
  }

  @Test(arguments: [false, true])
  func `ends for a slow caller where the store was when it asked, and says so when a session moved meanwhile`(
    moves: Bool
  ) async throws {
    let folder = try TemporaryFolder()
    let session = try fill(folder, 40_000)
    // What comes meanwhile waits for the disk each time, however slow that is.
    let served = try ServedReceiver(in: folder) { $0.limits.writeTimeout = .seconds(100) }
    let client = try Client(served.receiver.privateAddress, receiveBuffer: 4096)
    client.send("GET /v1/revocations HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    #expect(client.read(until: "sessionId").status == 200)
    // Now it takes its time. Its answer is longer than all buffers between.
    for id in Self.ids[0..<400] { try served.revoke(id) }
    let moved = try session(39_999)
    if moves { try served.revoke("\(moved)", createdAt: "2100-01-01T00:00:00Z") }
    let text = client.read()
    let ends = text.matches(of: /\{"end":"(\w+)","cursor":"([^"]+)"\}\n/)
    #expect(ends.map { String($0.1) } == [moves ? "limit" : "complete"])
    // A page may reach beyond.
    #expect(!text.contains(Self.ids[399]))
    let rest = try served.ask("GET", "/v1/revocations?after=\(try #require(ends.first).2)")
    #expect(rest.contains(Self.ids[399]))
    #expect((text + rest).contains("\(moved)"))
    await served.receiver.stop()
  }

  @Test func `wakes who waits with the next revocation, once`() async throws {
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
      let answer = client.read(until: #""end":"complete""#)
      #expect(try lines(answer).map(\.sessionId) == [Self.ids[1]])
      #expect(answer.field("X-Revoked-Last-Event") != nil)
    }
    // What is there already is not waited for.
    #expect(try lines(served.ask("GET", "/v1/revocations?after=\(cursor)&wait=50")).count == 1)
    await served.receiver.stop()
  }

  @Test
  func `says where to go on when there is nothing, and waits for it from there; for a snapshot it does not wait`()
    async throws
  {
    let served = try ServedReceiver(in: TemporaryFolder())
    for query in ["", "?after=", "?wait=50", "?limit=9&wait=50"] {
      let answer = try whole(served.ask("GET", "/v1/revocations\(query)"))
      #expect(answer.lines == [])
      #expect(answer.end == End(end: "complete", cursor: "00000000-0"))
    }
    #expect(try lines(served.ask("GET", "/v1/revocations?after=00000000-0&wait=1")) == [])
    let client = try Client(served.receiver.privateAddress)
    client.send("GET /v1/revocations?after=00000000-0&wait=50 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    try served.revoke(Self.ids[0])
    #expect(try lines(client.read()).map(\.sessionId) == [Self.ids[0]])
    await served.receiver.stop()
  }

  @Test func `answers a caller that ends its sending at once, and forgets one that hangs up`() async throws {
    let served = try ServedReceiver(in: TemporaryFolder())
    let request = "GET /v1/revocations?after=00000000-0&wait=50 HTTP/1.1\r\nHost: a\r\n\r\n"
    let start = ContinuousClock.now
    let half = try Client(served.receiver.privateAddress)
    half.send(request)
    half.endSending()
    #expect(try lines(half.read()) == [])
    for isReset in [false, true] {
      do {
        let gone = try Client(served.receiver.privateAddress)
        gone.send(request)
        if isReset { gone.reset() }
      }
      while try !served.ask("GET", "/metrics").contains("revoked_connections{listener=\"private\"} 1\n") {}
    }
    // The wait is far longer.
    #expect(start.duration(to: .now) < .seconds(25))
    await served.receiver.stop()
  }

  @Test func `shares a connection with other requests, in order`() async throws {
    let served = try ServedReceiver(in: TemporaryFolder())
    for id in Self.ids[0..<300] { try served.revoke(id) }
    let client = try Client(served.receiver.privateAddress)
    let one = { (path: String) in "GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n" }
    let look = one("/v1/sessions/\(Self.ids[0])")
    client.send(look + one("/v1/revocations") + look + one("/v1/revocations?limit=1") + look + look)
    client.send(
      "GET /v1/revocations?limit=2 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
        + "GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    let answers = client.read().components(separatedBy: "HTTP/1.1 200 OK\r\n").dropFirst()
    let kinds = answers.map { answer in
      answer.contains(#""end":"complete""#)
        ? "all" : answer.contains(#""end":"limit""#) ? "some" : answer.contains(#""revoked":true"#) ? "one" : "live"
    }
    #expect(kinds == ["one", "all", "one", "some", "one", "one", "some", "live"])
    await served.receiver.stop()
  }

  @Test func `lets nobody wait while the receiver stops`() async throws {
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

  @Test func `refuses a cursor that it has not given out: the caller must start again`() async throws {
    let (served, other) = (try ServedReceiver(in: TemporaryFolder()), try ServedReceiver(in: TemporaryFolder()))
    for each in [served, other] { try each.revoke(Self.ids[0]) }
    let cursor = try #require(lines(other.ask("GET", "/v1/revocations")).last).cursor
    let answer = try served.ask("GET", "/v1/revocations?after=\(cursor)&wait=50")
    #expect(answer.status == 410)
    #expect(answer.field("Content-Type") == "application/problem+json")
    #expect(answer.field("X-Revoked-Last-Event") != nil)
    for each in [served, other] { await each.receiver.stop() }
  }

  @Test func `refuses a query that it does not understand whole`() async throws {
    let served = try ServedReceiver(in: TemporaryFolder())
    let bad = [
      "after=1", "after=x-1", "after=00000000-01", "after=00000000-00", "after=00000000-", "limit=", "limit=0",
      "limit=-1", "limit=+1", "limit=1.5",
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
