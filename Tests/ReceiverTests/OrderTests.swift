import Foundation
import Handlers
import Receiver
import TestSupport
import Testing

@Suite("Orders over the private listener", .timeLimit(.minutes(2)))
struct OrderTests {
  static let sid = "3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10"
  static let other = "00112233-4455-6677-8899-aabbccddeeff"
  static let user = "44444444-4444-4444-8444-444444444444"
  static let environment = "55555555-5555-4555-8555-555555555555"
  static let own = "X-Revoked-Token: \(ServedReceiver.token)"

  static func bearer(_ sid: String = sid, user: String = user, issuedAt: String?) -> String {
    let iat = issuedAt.map { #","iat":\#($0)"# } ?? ""
    return "Authorization: Bearer "
      + ForwardAuthTests.jwt(
        #"{"sub":"\#(user)","sid":"\#(sid)","environment_id":"\#(environment)"\#(iat),"exp":9999999999}"#)
  }

  static func now(_ offset: Double = 0) -> String { "\(Int(Date().timeIntervalSince1970 + offset))" }

  func passes(_ served: ServedReceiver, _ bearer: String) throws -> (Int?, String?) {
    let answer = try served.ask("GET", "/v1/forward-auth", fields: [Self.own, bearer])
    return (answer.status, answer.field("X-Revoked-Reason"))
  }

  @Test func `cut off a user or an environment from the answer on, and across a restart`() async throws {
    let folder = try TemporaryFolder()
    var served = try ServedReceiver(in: folder, token: ServedReceiver.token)
    let (old, new) = (Self.now(-5), Self.now(40))
    #expect(try passes(served, Self.bearer(issuedAt: old)) == (200, nil))
    #expect(try passes(served, Self.bearer(issuedAt: nil)) == (200, nil))
    for (body, others) in [(#"{"userId":"\#(Self.user)"}"#, 200), (#"{"environmentId":"\#(Self.environment)"}"#, 401)] {
      let answer = try served.ask("POST", "/v1/revocations", fields: [Self.own], body: body)
      #expect(answer.status == 200 && answer.content == #"{"status":"accepted"}"#)
      for _ in 0..<2 {
        for issuedAt in [old, "0", nil, #""\#(old)""#, "1e3", "99999999999", "null"] {
          let (status, reason) = try passes(served, Self.bearer(issuedAt: issuedAt))
          #expect(status == 401 && reason == "cut-off", "\(issuedAt ?? "none")")
        }
        #expect(try passes(served, Self.bearer(issuedAt: new)) == (200, nil))
        #expect(try passes(served, Self.bearer(user: Self.other, issuedAt: old)).0 == others)
        await served.receiver.stop()
        served = try ServedReceiver(in: folder, token: ServedReceiver.token)
      }
    }
    await served.receiver.stop()
  }

  @Test func `revoke a session, once however often they are given, and say by whom`() async throws {
    let served = try ServedReceiver(in: TemporaryFolder(), token: ServedReceiver.token)
    for status in ["accepted", "duplicate", "duplicate"] {
      let answer = try served.ask("POST", "/v1/revocations", fields: [Self.own], body: #"{"sessionId":"\#(Self.sid)"}"#)
      #expect(answer.content == #"{"status":"\#(status)"}"#)
      #expect(answer.field("X-Revoked-Last-Event") == nil, "an order is no sign of life of Dynamic's")
    }
    let answer = try served.ask("GET", "/v1/sessions/\(Self.sid)", fields: [Self.own])
    #expect(answer.contains(#""revoked":true"#) && answer.contains(#""by":"operator""#))
    #expect(try passes(served, Self.bearer(issuedAt: Self.now(9))) == (401, "revoked"))
    await served.receiver.stop()
  }

  @Test func `are forbidden where no private token is configured, and change nothing then`() async throws {
    let served = try ServedReceiver(in: TemporaryFolder())
    for body in [#"{"userId":"\#(Self.user)"}"#, "", "{"] {
      #expect(try served.ask("POST", "/v1/revocations", body: body).status == 403)
    }
    #expect(try served.ask("GET", "/v1/forward-auth", fields: [Self.bearer(issuedAt: "0")]).status == 200)
    await served.receiver.stop()
  }

  @Test func `need the token, and exactly one subject`() async throws {
    let served = try ServedReceiver(in: TemporaryFolder(), token: ServedReceiver.token)
    let answer = try served.ask("POST", "/v1/revocations", body: #"{"userId":"\#(Self.user)"}"#)
    #expect(answer.status == 401 && answer.field("X-Revoked-Reason") == "token")
    for body in [
      "", "{}", "[]", "null", #"{"userId":7}"#, #"{"userId":"x"}"#, #"{"userId":"\#(Self.user) "}"#,
      #"{"user":"\#(Self.user)"}"#,
      #"{"userId":"\#(Self.user)","userId":"\#(Self.user)"}"#,
      #"{"userId":"\#(Self.user)","sessionId":"\#(Self.sid)"}"#,
      #"{"userId":"\#(Self.user)"}x"#, #"{"userId":"\#(Self.user)""#, #"{"userId":["\#(Self.user)"]}"#,
      #"{"userId":null}"#,
    ] {
      let answer = try served.ask("POST", "/v1/revocations", fields: [Self.own], body: body)
      #expect(answer.status == 400, "\(body)")
      #expect(!answer.contains(Self.user))
    }
    #expect(try served.ask("PUT", "/v1/revocations", fields: [Self.own]).field("Allow") == "GET, HEAD, POST")
    #expect(try passes(served, Self.bearer(issuedAt: "0")) == (200, nil))
    await served.receiver.stop()
  }

  @Test func `stand in the feed as entries of their own`() async throws {
    let served = try ServedReceiver(in: TemporaryFolder(), token: ServedReceiver.token)
    for body in [
      #"{"sessionId":"\#(Self.sid)"}"#, #"{"userId":"\#(Self.user)"}"#, #"{"environmentId":"\#(Self.environment)"}"#,
    ] {
      _ = try served.ask("POST", "/v1/revocations", fields: [Self.own], body: body)
    }
    let answer = try served.ask("GET", "/v1/revocations", fields: [Self.own])
    let lines = try answer.content.split(separator: "\n").compactMap { line in
      line.hasPrefix("{\"cursor\"") ? try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String] : nil
    }
    #expect(lines.count == 3)
    #expect(
      lines.map { $0.keys.sorted() } == [
        ["cursor", "expiresAt", "revokedAt", "sessionId"], ["before", "cursor", "expiresAt", "userId"],
        ["before", "cursor", "environmentId", "expiresAt"],
      ])
    #expect(lines.last?["environmentId"] == Self.environment)
    await served.receiver.stop()
  }

  @Test func `for another environment than the configured one are an error and change nothing`() async throws {
    let served = try ServedReceiver(in: TemporaryFolder(), token: ServedReceiver.token) {
      $0.environmentID = Self.environment
    }
    let other = try served.ask(
      "POST", "/v1/revocations", fields: [Self.own], body: #"{"environmentId":"\#(Self.other)"}"#)
    #expect(other.status == 400 && other.content.contains("not the one that is configured"))
    #expect(try served.ask("GET", "/v1/revocations", fields: [Self.own]).content.split(separator: "\n").count == 1)
    let own = #"{"environmentId":"\#(Self.environment.uppercased())"}"#
    #expect(try served.ask("POST", "/v1/revocations", fields: [Self.own], body: own).status == 200)
    await served.receiver.stop()
  }

  @Test func `are seen by who asks about claims, each with its reason`() async throws {
    let served = try ServedReceiver(in: TemporaryFolder(), token: ServedReceiver.token)
    try served.revoke(Self.sid)
    _ = try served.ask("POST", "/v1/revocations", fields: [Self.own], body: #"{"userId":"\#(Self.user)"}"#)
    let (old, new) = (Self.now(-5), Self.now(40))
    let cases: [(String, String)] = [
      (#"{"sid":"\#(Self.sid)"}"#, "revoked"), (#"{"sid":"\#(Self.other)"}"#, ""),
      (#"{"sid":"\#(Self.other)","originalSid":"\#(Self.sid)"}"#, "revoked"),
      (#"{"sid":"\#(Self.other)","originalSid":null,"sub":null,"iat":null}"#, ""),
      (#"{"sid":"\#(Self.other)","sub":"\#(Self.user)","iat":\#(old)}"#, "cut-off"),
      (#"{"sid":"\#(Self.other)","sub":"\#(Self.user)","iat":\#(new)}"#, ""),
      (#"{"sid":"\#(Self.other)","sub":"\#(Self.user)"}"#, "cut-off"),
      (#"{"sid":"\#(Self.other)","sub":"\#(Self.user)","iat":"\#(new)"}"#, "cut-off"),
      (#"{"sid":"\#(Self.other)","sub":"someone","iat":\#(old),"aud":["x"],"exp":1}"#, ""),
      (#"{"sid":"\#(Self.sid)","sub":"\#(Self.user)","environment_id":"\#(Self.environment)"}"#, "revoked"),
    ]
    func check(_ elements: [String]) throws -> String {
      try served.ask(
        "POST", "/v1/tokens/check", fields: [Self.own], body: #"{"tokens":[\#(elements.joined(separator: ","))]}"#)
    }
    let results = cases.map { $1.isEmpty ? #"{"refused":false}"# : #"{"refused":true,"reason":"\#($1)"}"# }
    #expect(try check(cases.map(\.0)).content == #"{"results":[\#(results.joined(separator: ","))]}"#)
    #expect(try check([]).content == #"{"results":[]}"#)
    let answer = try check(Array(repeating: cases[9].0, count: 1000))
    #expect(answer.status == 200 && answer.field("X-Revoked-Last-Event") != nil)
    #expect(try check(Array(repeating: cases[0].0, count: 1001)).status == 400)
    for element in [
      "{}", "7", "null", "[]", #""\#(Self.sid)""#, #"{"sid":"x"}"#, #"{"sid":null}"#,
      #"{"sid":"\#(Self.sid)","sub":7}"#,
      #"{"sid":"\#(Self.sid)","sid":"\#(Self.other)"}"#, #"{"sid":"\#(Self.sid)","originalSid":"x"}"#, "{",
    ] {
      #expect(try check([cases[1].0, element]).status == 400, "\(element)")
    }
    for body in [
      "", "{}", #"{"tokens":{}}"#, #"{"tokens":[],"tokens":[]}"#, #"{"tokens":[],"x":1}"#, #"{"sessionIds":[]}"#,
    ] {
      #expect(try served.ask("POST", "/v1/tokens/check", fields: [Self.own], body: body).status == 400, "\(body)")
    }
    #expect(try served.ask("GET", "/v1/tokens/check", fields: [Self.own]).status == 405)
    await served.receiver.stop()
  }
}
