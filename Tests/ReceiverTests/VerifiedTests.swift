import Foundation
import HTTPServer
import Logging
import Receiver
import Signature
import TestSupport
import Testing

@Suite("Forward-auth that verifies the JWT", .timeLimit(.minutes(2)))
struct VerifiedTests {
  static let environment = "55555555-5555-4555-8555-555555555555"
  static let user = "44444444-4444-4444-8444-444444444444"
  static let living = ForwardAuthTests.living
  static let (first, second) = (Result { try SigningKey("k1") }, Result { try SigningKey("k2") })

  static func payload(sid: String = living, user: String = user, changes: [String: String] = [:]) -> String {
    let now = Int(Date().timeIntervalSince1970)
    var claims = [
      "sid": #""\#(sid)""#, "sub": #""\#(user)""#, "environment_id": #""\#(environment)""#, "iat": "\(now - 5)",
      "exp": "\(now + 3600)", "scope": #""user:basic""#,
    ]
    for (name, value) in changes { claims[name] = value }
    return "{" + claims.map { #""\#($0.key)":\#($0.value)"# }.joined(separator: ",") + "}"
  }

  static func bearer(_ key: SigningKey, _ payload: String = payload()) throws -> String {
    "Authorization: Bearer \(try key.jwt(payload))"
  }

  static func serve(_ keys: KeyServer, in folder: TemporaryFolder, maxAge: Duration = .seconds(3600)) throws
    -> ServedReceiver
  {
    var verification = TokenVerification(environmentID: environment, keysURL: keys.url)
    verification.keysMaxAge = maxAge
    return try ServedReceiver(in: folder) { $0.forwardAuth.verification = verification }
  }

  /// Once the keys are there.
  static func ready(_ keys: KeyServer, in folder: TemporaryFolder? = nil) async throws -> ServedReceiver {
    let served = try serve(keys, in: folder ?? TemporaryFolder())
    while try served.ask("GET", "/readyz").status != 200 { await Task.yield() }
    return served
  }

  func verdict(_ served: ServedReceiver, _ fields: String...) throws -> String {
    let answer = try served.ask("GET", "/v1/forward-auth", fields: fields)
    #expect(answer.content.isEmpty)
    #expect((answer.status == 200) == (answer.field("X-Auth-User") != nil))
    return answer.field("X-Revoked-Reason")
      ?? "\(answer.field("X-Auth-User") ?? "") \(answer.field("X-Auth-Session") ?? "")"
  }

  @Test
  func `lets a genuine token pass with its user and session, at first and again, until it is revoked or cut off`()
    async throws
  {
    let keys = try KeyServer()
    try keys.publish(Self.first.get())
    let served = try await Self.ready(keys)
    let token = try Self.bearer(Self.first.get())
    let cookie = "Cookie: DYNAMIC_JWT_TOKEN=\(try Self.first.get().jwt(Self.payload()))"
    for fields in [[token], [cookie], [token, cookie], [token, "X-Session-Id: \(Self.living)"]] {
      for _ in 0..<2 {
        let answer = try served.ask("GET", "/v1/forward-auth", fields: fields)
        #expect(answer.status == 200)
        #expect(answer.field("X-Auth-User") == Self.user && answer.field("X-Auth-Session") == Self.living)
      }
    }
    #expect(try verdict(served, token, "X-Session-Id: \(ForwardAuthTests.third)") == "\(Self.user) \(Self.living)")
    try served.revoke(Self.living)
    // From memory, and anew.
    #expect(try verdict(served, token) == "revoked")
    #expect(try verdict(served, try Self.bearer(Self.first.get())) == "revoked")
    let answer = try served.ask("GET", "/v1/forward-auth", fields: [token])
    #expect(answer.status == 401 && answer.field("X-Auth-User") == nil && answer.field("X-Revoked-Last-Event") != nil)
    await served.receiver.stop()
  }

  @Test func `says why it refuses`() async throws {
    let keys = try KeyServer()
    try keys.publish(Self.first.get())
    let served = try await Self.ready(keys)
    let key = try Self.first.get()
    let cases: [(String, String)] = [
      ("expired", Self.payload(changes: ["exp": "1000000000"])), ("scope", Self.payload(changes: ["scope": #""x""#])),
      ("not-genuine", Self.payload(changes: ["environment_id": #""x""#])),
      ("not-genuine", Self.payload(changes: ["nbf": "99999999999"])), ("unreadable", "{}"), ("unreadable", "x"),
    ]
    for (reason, payload) in cases { #expect(try verdict(served, try Self.bearer(key, payload)) == reason) }
    #expect(try verdict(served, try Self.bearer(SigningKey("k1"))) == "not-genuine")
    #expect(try verdict(served) == "no-session")
    // A session's id alone proves nothing, though a revoked one refuses.
    #expect(try verdict(served, "X-Session-Id: \(Self.living)") == "no-session")
    let good = try Self.bearer(key)
    let other = try key.jwt(Self.payload(user: "77777777-7777-4777-8777-777777777777"))
    #expect(try verdict(served, good, "Cookie: DYNAMIC_JWT_TOKEN=\(other)") == "unreadable")
    #expect(try verdict(served, good, "Cookie: DYNAMIC_JWT_TOKEN=x") == "unreadable")
    #expect(
      try verdict(served, good, "Cookie: DYNAMIC_JWT_TOKEN=\(try SigningKey("k1").jwt(Self.payload()))")
        == "not-genuine")
    try served.revoke(ForwardAuthTests.revoked)
    #expect(try verdict(served, good, "X-Session-Id: \(ForwardAuthTests.revoked)") == "revoked")
    let page = try served.ask("GET", "/metrics")
    for (reason, count) in [("expired", 1), ("scope", 1), ("not-genuine", 4), ("no-session", 2), ("revoked", 1)] {
      #expect(page.contains("revoked_forward_auth_refused_total{reason=\"\(reason)\"} \(count)\n"), "\(reason)")
    }
    await served.receiver.stop()
  }

  @Test func `a key that is new is fetched for the first token that names it, and the token waits`() async throws {
    let keys = try KeyServer()
    try keys.publish(Self.first.get())
    let served = try await Self.ready(keys)
    let (old, new) = (try Self.bearer(Self.first.get()), try Self.bearer(Self.second.get()))
    #expect(try verdict(served, old) == "\(Self.user) \(Self.living)")
    try keys.publish(Self.first.get(), Self.second.get())
    let asked = keys.asked
    for _ in 0..<3 { #expect(try verdict(served, new) == "\(Self.user) \(Self.living)") }
    #expect(try verdict(served, old) == "\(Self.user) \(Self.living)")
    #expect(keys.asked == asked + 1)
    // Nobody can have it ask again and again. Such a token may be signed with a key that is newer than the last fetch,
    // or not.
    let stranger = try SigningKey("k3")
    let late = Self.payload(changes: ["iat": "\(Int(Date().timeIntervalSince1970) + 30)"])
    for _ in 0..<20 { #expect(try verdict(served, try Self.bearer(stranger, late)) == "unfit") }
    let early = try Self.bearer(stranger, Self.payload(changes: ["iat": "1700000000"]))
    #expect(try verdict(served, early) == "not-genuine")
    #expect(keys.asked == asked + 1)
    await served.receiver.stop()
  }

  @Test func `a key that does not exist is not waited for twice`() async throws {
    let keys = try KeyServer()
    try keys.publish(Self.first.get())
    let served = try await Self.ready(keys)
    let asked = keys.asked
    let stranger = try SigningKey("k3")
    for _ in 0..<20 { #expect(try verdict(served, try Self.bearer(stranger)) == "not-genuine") }
    #expect(keys.asked == asked + 1)
    await served.receiver.stop()
  }

  @Test
  func `without keys it is not ready and knows nothing; kept ones verify while nobody publishes any`() async throws {
    let folder = try TemporaryFolder()
    let keys = try KeyServer()
    keys.fail()
    let token = try Self.bearer(Self.first.get())
    var served = try Self.serve(keys, in: folder)
    while keys.asked == 0 { await Task.yield() }
    let answer = try served.ask("GET", "/readyz")
    #expect(answer.status == 503 && answer.content.contains("keys"))
    let refused = try served.ask("GET", "/v1/forward-auth", fields: [token])
    #expect(
      refused.status == 503 && refused.field("X-Revoked-Reason") == "unfit" && refused.field("Retry-After") != nil)
    // Look-ups need no keys.
    #expect(try served.ask("GET", "/v1/sessions/\(Self.living)").status == 200)
    // Before they are there, or it might have asked for the last time already.
    let asked = keys.asked
    try keys.publish(Self.first.get())
    // It tries again by itself, and is ready a moment after it has got an answer.
    await keys.waitUntilAsked(moreThan: asked)
    while try served.ask("GET", "/readyz").status != 200 { await Task.yield() }
    #expect(try verdict(served, token) == "\(Self.user) \(Self.living)")
    await served.receiver.stop()

    keys.fail()
    served = try await Self.ready(keys, in: folder)
    #expect(try verdict(served, token) == "\(Self.user) \(Self.living)")
    await served.receiver.stop()
  }

  @Test(arguments: [
    #"{"keys":[]}"#, "", "<html>", String(repeating: " ", count: 200_000), "small", "ec",
  ])
  func `what is no use leaves the keys at hand`(text: String) async throws {
    let folder = try TemporaryFolder()
    let keys = try KeyServer()
    try keys.publish(Self.first.get())
    await (try await Self.ready(keys, in: folder)).receiver.stop()
    switch text {
    case "small": try keys.publish(SigningKey("k1", .rsa(bits: 1024)))
    case "ec": try keys.publish(SigningKey("k1", .p256))
    default: keys.publish(text: text)
    }
    let asked = keys.asked
    let served = try await Self.ready(keys, in: folder)
    #expect(keys.asked > asked)
    #expect(try verdict(served, try Self.bearer(Self.first.get())) == "\(Self.user) \(Self.living)")
    await served.receiver.stop()
  }

  @Test func `keys that never come hold up nothing but the tokens that need them`() async throws {
    let keys = try KeyServer()
    try keys.publish(Self.first.get())
    let served = try await Self.ready(keys)
    keys.fallSilent()
    let asked = keys.asked
    let waiting = try Client(served.receiver.privateAddress)
    let new = try Self.bearer(Self.second.get())
    waiting.send("GET /v1/forward-auth HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\(new)\r\n\r\n")
    while keys.asked == asked { await Task.yield() }
    let old = try Self.bearer(Self.first.get())
    for _ in 0..<10 { #expect(try verdict(served, old) == "\(Self.user) \(Self.living)") }
    // The fetch has a deadline of some seconds, and what waits for it a stop.
    await served.receiver.stop()
    let answer = waiting.read()
    #expect(answer.status == 503 || answer.isEmpty)
  }
}
