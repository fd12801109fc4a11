import Foundation
import Receiver
import TestSupport
import Testing

@Suite("Forward-auth", .timeLimit(.minutes(2)))
struct ForwardAuthTests {
  static let revoked = "3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10"
  static let living = "00112233-4455-6677-8899-aabbccddeeff"
  static let third = "11112233-4455-6677-8899-aabbccddeeff"

  static func jwt(_ payload: String) -> String {
    let part = Data(payload.utf8).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
      .replacing("=", with: "")
    return "eyJhbGciOiJSUzI1NiJ9.\(part).c2lnbmF0dXJl"
  }

  static func bearer(_ sid: String, original: String? = nil) -> String {
    let claim = original.map { #","originalSid":"\#($0)""# } ?? ""
    return "Authorization: Bearer " + jwt(#"{"sub":"u","sid":"\#(sid)"\#(claim),"exp":1}"#)
  }

  static func cookie(_ sid: String, original: String? = nil) -> String {
    bearer(sid, original: original).replacing("Authorization: Bearer ", with: "Cookie: DYNAMIC_JWT_TOKEN=")
  }

  /// What a request presents, and what becomes of it.
  static let cases: [([String], Int)] = [
    (["X-Session-Id: \(living)"], 200),
    (["x-session-id:   \(living)  "], 200),
    (["X-Session-Id: \(revoked)"], 401),
    ([bearer(living)], 200),
    ([bearer(revoked)], 401),
    ([bearer(living).replacing("Authorization: Bearer", with: "authorization: BEARER ")], 200),
    ([bearer(revoked).replacing("Bearer", with: "bearer   ")], 401),
    // Either id of a refreshed JWT may be the one that was revoked.
    ([bearer(living, original: third)], 200),
    ([bearer(revoked, original: living)], 401),
    ([bearer(living, original: revoked)], 401),
    // RFC 9562 §4: one id, in whatever case.
    (["X-Session-Id: \(living.uppercased())"], 200), (["X-Session-Id: \(revoked.uppercased())"], 401),
    ([bearer(living.uppercased())], 200), ([bearer(revoked.uppercased())], 401),
    ([bearer(living, original: revoked.uppercased())], 401),
    // Both fields count, whichever is revoked.
    (["X-Session-Id: \(living)", bearer(third)], 200),
    (["X-Session-Id: \(revoked)", bearer(living)], 401),
    (["X-Session-Id: \(living)", bearer(revoked)], 401),
    (["X-Session-Id: \(living)", bearer(living, original: revoked)], 401),
    // The cookie counts as the field does, and all that is presented is tested.
    ([cookie(living)], 200), ([cookie(revoked)], 401), ([cookie(living, original: revoked)], 401),
    (["Cookie: a=b; " + cookie(living).dropFirst(8) + "; c=d"], 200),
    ([cookie(living), bearer(living)], 200), ([cookie(revoked), bearer(living)], 401),
    ([cookie(living), bearer(revoked)], 401), ([cookie(living), "X-Session-Id: \(revoked)"], 401),
    ([cookie(revoked), "X-Session-Id: \(living)"], 401), ([cookie(living), "Authorization: Basic dXNlcg=="], 200),
    ([cookie(living), "Authorization: Bearer x"], 401), (["Cookie: DYNAMIC_JWT_TOKEN=x", bearer(living)], 401),
    (["Cookie: DYNAMIC_JWT_TOKEN=", bearer(living)], 401), ([cookie(living) + "; " + cookie(living).dropFirst(8)], 401),
    ([cookie(living), cookie(living)], 401), ([cookie(living), "Cookie: a=b"], 401),
    ([cookie(living).replacing("=", with: "=\"") + "\""], 401), ([cookie(living) + ", a=b"], 401),
    ([bearer(living), "Cookie: DYNAMIC_jwt_TOKEN=x"], 401), ([bearer(living), "Cookie: a=b; c"], 200),
    // No session.
    ([], 401),
    (["Authorization: Basic dXNlcjpwYXNz"], 401),
    (["Cookie: sid=\(living)", "X-Forwarded-Uri: /?sid=\(living)"], 401),
    // What cannot be read is not let through, whatever stands beside it.
    (["X-Session-Id: "], 401),
    (["X-Session-Id: \(living)0"], 401),
    (["X-Session-Id: \(living),\(living)"], 401),
    (["X-Session-Id: \(living)", "X-Session-Id: \(living)"], 401),
    (["X-Session-Id: x", bearer(living)], 401),
    ([bearer(living), bearer(living)], 401),
    (["Authorization: Bearer", "X-Session-Id: \(living)"], 401),
    (["Authorization: Bearer opaque", "X-Session-Id: \(living)"], 401),
    (["Authorization: Bearer\t\(jwt(#"{"sid":"\#(living)"}"#))"], 401),
    (["Authorization: Bearer,\(jwt(#"{"sid":"\#(living)"}"#))"], 401),
    ([bearer(living) + "="], 401),
    ([bearer(living) + ", " + bearer(living).dropFirst(15)], 401),
    ([bearer("x"), "X-Session-Id: \(living)"], 401),
    ([bearer(living, original: "x")], 401),
    (["Authorization: Bearer " + jwt("{}")], 401),
    // Another scheme carries no JWT of Dynamic's.
    (["Authorization: Basic dXNlcjpwYXNz", "X-Session-Id: \(living)"], 200),
    (["Authorization: Basic dXNlcjpwYXNz", "X-Session-Id: \(revoked)"], 401),
    (["Authorization: Basic eyJhIjoxfQ==", "X-Session-Id: \(living)"], 200),
    (["Authorization: Digest uri=\"/a.b.c\", realm=keyJs.example.com", cookie(living)], 200),
    // Many applications read a JWT without a scheme, or behind any.
    (["Authorization: " + bearer(living).dropFirst(22), cookie(living)], 401),
    (["Authorization: Token " + bearer(living).dropFirst(22), cookie(living)], 401),
    (["Authorization: \u{A0}" + bearer(living).dropFirst(15), "X-Session-Id: \(living)"], 401),
    (["Authorization: JWT token=\"" + bearer(living).dropFirst(22) + "\"", cookie(living)], 401),
    ([bearer(living), "Cookie: \u{A0}" + cookie(living).dropFirst(8)], 401),
    // What anybody can add says nothing.
    ([bearer(living), "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Method: PUT", "X-Forwarded-Uri: /\(revoked)"], 200),
    ([bearer(revoked), "X-Forwarded-Host: a", "X-Original-URL: /v1/sessions/\(living)"], 401),
  ]

  @Test func `lets through what is not revoked, and nothing else`() async throws {
    let served = try ServedReceiver(in: TemporaryFolder())
    try served.revoke(Self.revoked)
    for (fields, status) in Self.cases {
      let answer = try served.ask("GET", "/v1/forward-auth", fields: fields)
      #expect(answer.status == status, "\(fields)")
      #expect(answer.field("X-Revoked-Last-Event") != nil, "\(fields)")
      #expect(answer.field("Content-Length") == "0" && answer.content.isEmpty, "\(fields)")
      #expect((answer.field("X-Revoked-Reason") == nil) == (status == 200), "\(fields)")
      let challenge = answer.field("WWW-Authenticate")
      #expect(challenge == (status == 401 ? #"Bearer error="invalid_token""# : nil), "\(fields)")
      for id in [Self.revoked, Self.living] { #expect(!answer.contains(id)) }
    }
    await served.receiver.stop()
  }

  @Test
  func `asks for any method, path behind it, query and content: a proxy may pass on those of the user's request`()
    async throws
  {
    let served = try ServedReceiver(in: TemporaryFolder())
    try served.revoke(Self.revoked)
    for (session, status) in [(Self.living, 200), (Self.revoked, 401)] {
      for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "get", "X-OWN"] {
        for path in ["", "?", "?a=/v1/sessions/x", "/", "/app/%2e%2e/x;y?z=%00", "//app"] {
          for body in [nil, "", "a=b&c"] {
            let answer = try served.ask(
              method, "/v1/forward-auth" + path, fields: ["X-Session-Id: \(session)"], body: body)
            #expect(answer.status == status, "\(method) \(path)")
            #expect(answer.content.isEmpty)
          }
        }
      }
    }
    for path in ["/v1/forward-authx", "/v1/forward", "/v1/forward-auth%2f", "/v1/Forward-Auth", "/v1//forward-auth"] {
      #expect(try served.ask("GET", path, fields: ["X-Session-Id: \(Self.living)"]).status == 404, "\(path)")
    }
    await served.receiver.stop()
  }

  @Test(arguments: [
    ("revoked", ["X-Session-Id: \(revoked)"]), ("revoked", [bearer(living, original: revoked)]),
    ("no-session", []), ("no-session", ["Authorization: Basic dXNlcjpwYXNz"]),
    ("unreadable", ["X-Session-Id: x"]), ("unreadable", ["Authorization: Bearer opaque"]),
    ("unreadable", [bearer(living), bearer(living)]),
    ("unreadable", ["X-Session-Id: \(living)", "X-Session-Id: \(living)"]),
  ])
  func `says why it refuses, in a field and by a counter, and repeats nothing of the request`(
    reason: String, fields: [String]
  ) async throws {
    let served = try ServedReceiver(in: TemporaryFolder())
    try served.revoke(Self.revoked)
    let answer = try served.ask("GET", "/v1/forward-auth", fields: fields)
    #expect(answer.field("X-Revoked-Reason") == reason)
    let page = try served.ask("GET", "/metrics")
    for each in ["revoked", "no-session", "unreadable", "token", "unfit"] {
      let count = each == reason ? 1 : 0
      #expect(page.contains("revoked_forward_auth_refused_total{reason=\"\(each)\"} \(count)\n"), "\(each)")
    }
    await served.receiver.stop()
  }

  @Test func `keeps a connection through many requests, with content that came along with them`() async throws {
    let served = try ServedReceiver(in: TemporaryFolder())
    try served.revoke(Self.revoked)
    let client = try Client(served.receiver.privateAddress)
    for (session, status) in [(Self.living, "200"), (Self.revoked, "401"), (Self.living, "200")] {
      client.send(
        "PUT /v1/forward-auth HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\(Self.bearer(session))\r\n\r\nhello")
      let answer = client.read(until: "\r\n\r\n")
      #expect(answer.hasPrefix("HTTP/1.1 \(status)"))
      #expect(answer.field("Connection") == nil)
    }
    await served.receiver.stop()
  }

  @Test(arguments: ["Content-Length: 5", "Content-Length: 99999999999999999999", "Transfer-Encoding: chunked"])
  func `is answered after the head, and closes the connection, when content is announced that does not come`(
    field: String
  ) async throws {
    let served = try ServedReceiver(in: TemporaryFolder(), token: ServedReceiver.token)
    try served.revoke(Self.revoked)
    let token = "X-Revoked-Token: \(ServedReceiver.token)"
    for (fields, status) in [
      ([token, Self.bearer(Self.living)], 200), ([token, Self.bearer(Self.revoked)], 401), ([token], 401), ([], 401),
      ([token, Self.bearer(Self.living), "Expect: 100-continue"], 200),
    ] {
      let client = try Client(served.receiver.privateAddress)
      let lines = (fields + [field]).map { $0 + "\r\n" }.joined()
      client.send("PUT /v1/forward-auth HTTP/1.1\r\nHost: a\r\n\(lines)\r\n")
      let answer = client.read()
      #expect(answer.status == status, "\(fields)")
      #expect(answer.field("Connection") == "close", "\(fields)")
      #expect(answer.content.isEmpty, "\(fields)")
    }
    await served.receiver.stop()
  }

  @Test func `with a token, wants it in X-Revoked-Token when Authorization is the user's`() async throws {
    let served = try ServedReceiver(in: TemporaryFolder(), token: ServedReceiver.token)
    try served.revoke(Self.revoked)
    let own = "X-Revoked-Token: \(ServedReceiver.token)"
    let cases: [([String], Int, String)] = [
      ([own, Self.bearer(Self.living)], 200, ""), ([own, Self.bearer(Self.revoked)], 401, "error"),
      ([own, "X-Session-Id: \(Self.living)"], 200, ""), ([own, "X-Session-Id: \(Self.revoked)"], 401, "error"),
      ([own], 401, "error"),
      // As Authorization it is no JWT, and not taken for one.
      (["Authorization: Bearer \(ServedReceiver.token)", "X-Session-Id: \(Self.living)"], 200, ""),
      (["Authorization: Bearer \(ServedReceiver.token)", "X-Session-Id: \(Self.revoked)"], 401, "error"),
      (["Authorization: Bearer \(ServedReceiver.token)"], 401, "error"),
      ([Self.bearer(Self.living)], 401, "realm"), (["X-Session-Id: \(Self.living)"], 401, "realm"),
      ([own + "x", Self.bearer(Self.living)], 401, "realm"),
      ([own, own, Self.bearer(Self.living)], 401, "realm"),
    ]
    for (fields, status, challenge) in cases {
      let answer = try served.ask("GET", "/v1/forward-auth", fields: fields)
      #expect(answer.status == status, "\(fields)")
      let given = answer.field("WWW-Authenticate")
      #expect(challenge.isEmpty ? given == nil : given?.hasPrefix("Bearer \(challenge)=") == true, "\(fields)")
    }
    await served.receiver.stop()
  }

  @Test func `counts what it answered`() async throws {
    let served = try ServedReceiver(in: TemporaryFolder())
    try served.revoke(Self.revoked)
    for fields in [["X-Session-Id: \(Self.living)"], [Self.bearer(Self.revoked, original: Self.revoked)], [], []] {
      _ = try served.ask("GET", "/v1/forward-auth", fields: fields)
    }
    let page = try served.ask("GET", "/metrics")
    for (result, count) in [("revoked", 1), ("not_revoked", 1), ("no_session", 2), ("failed", 0)] {
      #expect(page.contains("revoked_lookups_total{result=\"\(result)\"} \(count)\n"), "\(result)")
    }
    await served.receiver.stop()
  }
}
