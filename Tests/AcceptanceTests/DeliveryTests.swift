import Foundation
import Signature
import TestSupport
import Testing

@Suite("A delivery through the built executable", .timeLimit(.minutes(5)))
struct DeliveryTests {
  static let session = "3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10"

  /// Signs as Dynamic does.
  static func sign(_ body: String, with secret: String = Executable.secret) throws -> String {
    SignatureHeader.value(for: try HMACSHA256(key: Secret(secret)).code(for: Array(body.utf8).span))
  }

  static func event(
    _ name: String = "user.session.revoked", session: String, eventId: String = UUID().uuidString.lowercased(),
    messageId: String = "m1"
  ) -> String {
    #"{"eventId":"\#(eventId)","messageId":"\#(messageId)","eventName":"\#(name)","#
      + #""timestamp":"2026-10-01T09:00:00.348Z","data":{"id":"\#(session)"}}"#
  }

  @Test func `the documented vectors are accepted, and their session is refused from then on`() throws {
    let server = try RunningServer(in: TemporaryFolder())
    #expect(try server.get("/v1/sessions/\(Self.session)").body == #"{"sessionId":"\#(Self.session)","revoked":false}"#)
    for (vector, status) in [(Vector.sessionRevoked, "accepted"), (.adminSessionRevoked, "accepted"), (.ping, "pong")] {
      let answer = try server.post(vector.text, signature: vector.signature)
      #expect(answer.status == 200)
      #expect(answer.body == #"{"status":"\#(status)"}"#)
    }
    let lookUp = try server.get("/v1/sessions/\(Self.session)")
    #expect(lookUp.status == 200)
    #expect(
      lookUp.body
        == #"{"sessionId":"\#(Self.session)","revoked":true,"revokedAt":"2026-10-01T09:00:00.301Z","by":"user","#
        + #""eventId":"22222222-2222-4222-8222-222222222222"}"#
    )
    #expect(lookUp.head.contains("\r\nX-Revoked-Last-Event: 20"))
    #expect(try server.get("/v1/sessions/\(Self.session.uppercased())").body == lookUp.body)
    #expect(try server.get("/v1/sessions/\(Self.session)0").status == 400)
    #expect(try server.metric("revoked_sessions_revoked") == 1)
    let check = try Executable.run(
      "check", "--data", server.folder.data, Self.session, "3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c11")
    #expect(check.status == 0)
    #expect(check.output.contains("\(Self.session) revoked at=2026-10-01T09:00:00.301Z by=user"))
    #expect(check.output.contains("3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c11 not revoked"))
  }

  static let good = String(Vector.sessionRevoked.signature.dropFirst("sha256=".count))

  @Test(arguments: [
    ("a missing header", ""),
    ("another prefix", "x-dynamic-signature-256: SHA256=\(good)\r\n"),
    ("bare hexadecimal", "x-dynamic-signature-256: \(good)\r\n"),
    ("upper-case hexadecimal", "x-dynamic-signature-256: sha256=\(good.uppercased())\r\n"),
    ("a header that stands twice", String(repeating: "x-dynamic-signature-256: sha256=\(good)\r\n", count: 2)),
    ("a list in one header", "x-dynamic-signature-256: sha256=\(good), sha256=\(good)\r\n"),
    ("one digit changed", "x-dynamic-signature-256: sha256=\(good.dropLast())3\r\n"),
    ("one digit less", "x-dynamic-signature-256: sha256=\(good.dropLast())\r\n"),
    ("another product's header", "x-dynamic-signature: sha256=\(good)\r\n"),
  ])
  func `whatever is not signed exactly is answered 401 without a reason, and nothing is stored`(
    name: String, fields: String
  ) throws {
    let server = try RunningServer(in: TemporaryFolder())
    let answer = try server.post(Vector.sessionRevoked.text, fields: fields)
    #expect(answer.status == 401)
    #expect(answer.head.contains("\r\nWWW-Authenticate: Dynamic-Signature\r\n"))
    #expect(answer.body == #"{"type":"about:blank","title":"Unauthorized","status":401}"# + "\n")
    #expect(try server.get("/v1/sessions/\(Self.session)").body.contains(#""revoked":false"#))
    #expect(try server.metric("revoked_sessions_revoked") == 0)
    #expect(try server.metric("revoked_signature_failures_total") == 1)
    #expect(!server.log.text.contains(Self.good))
  }

  /// Dynamic pings before anybody can know the secret, and may expect a 200.
  @Test(arguments: [
    "", "x-dynamic-signature-256: \(good)\r\n", "x-dynamic-signature-256: sha256=\(good)\r\n",
    "x-dynamic-signature-256: \r\n",
  ])
  func `a ping whose signature is missing, malformed or wrong is answered 200, and changes nothing`(fields: String)
    throws
  {
    let server = try RunningServer(in: TemporaryFolder())
    for body in [Vector.ping.text, #"{"eventName":"p\u0069ng"}"#] {
      let answer = try server.post(body, fields: fields)
      #expect(answer.status == 200)
      #expect(answer.body == #"{"status":"unverified"}"#)
    }
    #expect(try server.metric(#"revoked_webhooks_total{event="ping",outcome="unverified"}"#) == 2)
    #expect(try server.metric("revoked_last_signed_event_timestamp_seconds") == 0)
    #expect(try server.metric("revoked_signature_failures_total") == 0)
    #expect(server.log.wait { $0.contains("a ping whose signature is missing or wrong") })
  }

  @Test(arguments: [
    ("a large ping", #"{"eventName":"ping","data":"\#(String(repeating: "x", count: 16_400))"}"#, ""),
    ("another name", #"{"eventName":"Ping","data":"ping"}"#, ""), ("not JSON", #"{"eventName":"ping""#, ""),
    ("no name", #"{"event":"ping"}"#, ""),
    ("a name twice", #"{"eventName":"ping","eventName":"user.session.revoked"}"#, ""),
    (
      "two signatures", Vector.ping.text, String(repeating: "x-dynamic-signature-256: sha256=\(good)\r\n", count: 2)
    ),
    ("no body", "", ""),
  ])
  func `nothing but a small ping that decodes is answered 200 without a signature`(
    name: String, body: String, fields: String
  ) throws {
    let server = try RunningServer(in: TemporaryFolder())
    #expect(try server.post(body, fields: fields).status == 401)
    #expect(try server.metric("revoked_signature_failures_total") == 1)
  }

  @Test
  func `an unsigned ping is awaited, in pieces and in chunks, and what is larger is refused by its head`() throws {
    let server = try RunningServer(in: TemporaryFolder())
    let text = Vector.ping.text
    let client = try Client(server.address)
    let head = "POST /webhooks/dynamic HTTP/1.1\r\nHost: a\r\n"
    client.send("\(head)Expect: 100-continue\r\nContent-Length: \(text.utf8.count)\r\n\r\n")
    #expect(client.read(until: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
    client.send(text)
    #expect(client.read(until: "}").hasSuffix(#"{"status":"unverified"}"#))
    client.send("\(head)Transfer-Encoding: chunked\r\n\r\n")
    client.send("\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n0\r\n\r\n")
    #expect(client.read(until: "}").hasSuffix(#"{"status":"unverified"}"#))
    client.send("\(head)Content-Length: 16385\r\n\r\n")
    #expect(client.read().hasPrefix("HTTP/1.1 401 "))
  }

  @Test func `what 'send' makes revokes, and is not taken for a word of Dynamic's, also after a restart`() throws {
    let folder = try TemporaryFolder()
    let server = try RunningServer(in: folder)
    for event in ["user.session.revoked", "ping"] {
      let sent = try Executable.run("send", event, "--url", "http://\(server.address)/webhooks/dynamic")
      #expect(sent.status == 0, "\(sent.errors)")
    }
    #expect(try server.metric("revoked_sessions_revoked") == 1)
    #expect(try server.metric("revoked_last_signed_event_timestamp_seconds") == 0)
    #expect(try server.get("/v1/sessions/\(Self.session)").field("X-Revoked-Last-Event") == nil)
    server.signal(SIGTERM)
    #expect(server.end() == 0)
    let next = try RunningServer(in: folder)
    #expect(try next.metric("revoked_last_signed_event_timestamp_seconds") == 0)
    #expect(try next.post(Vector.ping.text, signature: Vector.ping.signature).status == 200)
    #expect(try next.metric("revoked_last_signed_event_timestamp_seconds") ?? 0 > 0)
  }

  @Test func `a signed ping is answered 503 while the store is gone, and 200 once it is back`() throws {
    let server = try RunningServer(in: TemporaryFolder())
    let (there, away) = (server.folder.database, server.folder.path + "/away.sqlite")
    for _ in 0..<2 {
      #expect(try server.post(Vector.ping.text, signature: Vector.ping.signature).body == #"{"status":"pong"}"#)
      try FileManager.default.moveItem(atPath: there, toPath: away)
      let answer = try server.post(Vector.ping.text, signature: Vector.ping.signature)
      #expect(answer.status == 503)
      #expect(answer.field("Retry-After") != nil)
      try FileManager.default.moveItem(atPath: away, toPath: there)
    }
    #expect(try server.metric(#"revoked_webhooks_total{event="ping",outcome="unavailable"}"#) == 2)
    #expect(server.log.wait { $0.contains("the store cannot commit") })
  }

  @Test func `a signed event that names two sessions revokes both`() throws {
    let server = try RunningServer(in: TemporaryFolder())
    let other = "0b9e2d3c-4b5a-4978-8695-a4b3c2d1e0f9"
    let body = #"{"eventName":"user.session.revoked","data":{"id":"\#(Self.session)","\u0069d":"\#(other)"}}"#
    #expect(try server.post(body, signature: Self.sign(body)).body == #"{"status":"accepted"}"#)
    for session in [Self.session, other] {
      #expect(try server.get("/v1/sessions/\(session)").body.contains(#""revoked":true"#))
    }
  }

  @Test func `a timestamp that cannot be true is no part of the latency`() throws {
    let server = try RunningServer(in: TemporaryFolder())
    for time in ["0001-01-01T00:00:00Z", "9999-01-01T00:00:00Z"] {
      let body = #"{"eventName":"user.session.revoked","timestamp":"\#(time)","data":{"id":"\#(Self.session)"}}"#
      #expect(try server.post(body, signature: Self.sign(body)).status == 200)
    }
    #expect(try server.metric("revoked_revocation_latency_seconds_count") == 0)
    #expect(try server.metric("revoked_implausible_timestamps_total") == 2)
  }

  @Test func `one changed byte of the body is a forgery`() throws {
    let server = try RunningServer(in: TemporaryFolder())
    let changed = Vector.sessionRevoked.text.replacing("203.0.113.7", with: "203.0.113.8")
    #expect(try server.post(changed, signature: Vector.sessionRevoked.signature).status == 401)
    #expect(try server.metric("revoked_sessions_revoked") == 0)
  }

  @Test func `the same event again is a duplicate, also under another messageId`() throws {
    let server = try RunningServer(in: TemporaryFolder())
    let id = UUID().uuidString.lowercased()
    let statuses = try [("m1", "accepted"), ("m1", "duplicate"), ("m2", "duplicate")].map { message, status in
      let body = Self.event(session: Self.session, eventId: id, messageId: message)
      return (try server.post(body, signature: Self.sign(body)).body, #"{"status":"\#(status)"}"#)
    }
    for (answer, expected) in statuses { #expect(answer == expected) }
    #expect(try server.metric("revoked_sessions_revoked") == 1)
  }

  @Test(arguments: [
    ("not JSON", "undecodable"), (#"{"data":{}}"#, "undecodable"), ("", "undecodable"),
    (#"{"eventName":"user.session.revoked","data":{"id":"3F0C6F6E-1C3A-4F0B-9A52-6D1F8E2B7C10"}}"#, "accepted"),
    (#"{"eventName":"user.session.revoked","data":{"id":"3F0C6F6E-1C3A-4F0B-9A52-6D1F8E2B7C1"}}"#, "undecodable"),
    (#"{"eventName":"user.created","data":{}}"#, "ignored"), (#"{"eventName":"ping"}"#, "pong"),
    (#"{"eventName":"admin.user.session.revoked","data":{"id":"3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10"}}"#, "accepted"),
  ])
  func `what Dynamic signed is never refused for its content`(body: String, status: String) throws {
    let server = try RunningServer(in: TemporaryFolder())
    for _ in 0..<2 {
      let answer = try server.post(body, signature: Self.sign(body))
      #expect(answer.status == 200)
      #expect(answer.body == #"{"status":"\#(status)"}"# || answer.body == #"{"status":"duplicate"}"#)
    }
    #expect(try server.metric(#"revoked_dead_letters{handler=""}"#) == (status == "undecodable" ? 1 : 0))
  }

  @Test func `a 200 outlives kill -9, and the log handler has had every event at least once`() throws {
    let folder = try TemporaryFolder()
    let handler = ["REVOKED_HANDLERS_AUDIT_KIND": "log"]
    var log = ""
    let sessions = (0..<20).map { _ in UUID().uuidString.lowercased() }
    for batch in [sessions[..<10], sessions[10...]] {
      let server = try RunningServer(in: folder, environment: handler)
      for session in batch {
        let body = Self.event(session: session)
        #expect(try server.post(body, signature: Self.sign(body)).body == #"{"status":"accepted"}"#)
      }
      server.signal(SIGKILL)
      #expect(server.exit() == SIGKILL)
      log += server.log.wholeText
    }
    let server = try RunningServer(in: folder, environment: handler)
    for session in sessions { #expect(try server.get("/v1/sessions/\(session)").body.contains(#""revoked":true"#)) }
    #expect(
      server.log.wait { text in
        let handled = (log + text).split(separator: "\n").filter { $0.contains(#""handler":"audit""#) }
        return sessions.allSatisfy { session in handled.contains { $0.contains(session) } }
      })
  }

  @Test func `an event that a handler wants is stored and handled`() throws {
    let server = try RunningServer(
      in: TemporaryFolder(), environment: ["REVOKED_HANDLERS_ALL_KIND": "log", "REVOKED_HANDLERS_ALL_EVENTS": "user.*"])
    let body = Self.event("user.created", session: Self.session)
    #expect(try server.post(body, signature: Self.sign(body)).body == #"{"status":"accepted"}"#)
    #expect(server.log.wait { $0.contains(#""event":"user.created""#) && $0.contains(#""handler":"all""#) })
    #expect(try server.metric("revoked_sessions_revoked") == 0)
  }

  @Test func `during a rotation either secret is good`() throws {
    let old = "an-older-secret-of-20"
    let server = try RunningServer(
      in: TemporaryFolder(), environment: ["DYNAMIC_WEBHOOK_SECRET": "\(old) \(Executable.secret)"])
    #expect(try server.post(Vector.ping.text, signature: Vector.ping.signature).status == 200)
    let code = try HMACSHA256(key: Secret(old)).code(for: Vector.ping.body.span)
    #expect(try server.post(Vector.ping.text, signature: SignatureHeader.value(for: code)).status == 200)
    #expect(!server.log.text.contains(old))
  }
}
