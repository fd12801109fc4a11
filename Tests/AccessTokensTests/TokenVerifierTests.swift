import Foundation
import Signature
import TestSupport
import Testing

@testable import AccessTokens
@testable import DynamicEvents

@Suite("A JWT that is verified", .timeLimit(.minutes(1)))
struct TokenVerifierTests {
  static let sid = TokenClaimsTests.sid
  static let environment = "55555555-5555-4555-8555-555555555555"
  static let user = "44444444-4444-4444-8444-444444444444"
  static let now: Int64 = 1_800_000_000
  static let key = Result { try SigningKey("k1") }
  static let stranger = Result { try SigningKey("k1") }

  /// The claims of a genuine token, some of them replaced by other JSON texts, or left out.
  static func payload(_ changes: [String: String?] = [:]) -> String {
    var claims: [String: String] = [
      "sid": #""\#(sid)""#, "sub": #""\#(user)""#, "environment_id": #""\#(environment)""#, "iat": "\(now - 100)",
      "exp": "\(now + 3600)", "scope": #""user:basic marketing""#, "aud": #""https://app.example.com""#,
      "iss": #""app.dynamicauth.com/\#(environment)""#,
    ]
    for (name, value) in changes { claims[name] = value }
    return "{" + claims.sorted { $0.key < $1.key }.map { #""\#($0.key)":\#($0.value)"# }.joined(separator: ",") + "}"
  }

  static func verifier(_ rules: TokenRules = TokenRules(environment: environment)) throws -> TokenVerifier {
    let verifier = TokenVerifier(rules)
    try verifier.use(try KeySetTests.keys(SigningKey.keySet(key.get())))
    return verifier
  }

  static func refusal(_ jwt: String, _ verifier: TokenVerifier, at seconds: Int64 = now) -> TokenRefusal? {
    do throws(TokenRefusal) {
      _ = try verifier.verify(Array(jwt.utf8).span, at: Timestamp(milliseconds: seconds * 1000))
      return nil
    } catch {
      return error
    }
  }

  @Test func `the example of RFC 7515 A.2 verifies, and nothing near it`() throws {
    let n = """
      ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCg\
      NMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665\
      xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuX\
      poQ
      """
    let signed = """
      eyJhbGciOiJSUzI1NiJ9.\
      eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ
      """
    let signature = """
      cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1\
      dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzD\
      wusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe7\
      7Rw
      """
    let modulus = try #require(Self.decoded(n))
    let made = RSAPublicKey(modulus: modulus.span, exponent: [1, 0, 1].span)
    let key = try #require(made)
    let verifier = try RS256(key)
    let bytes = try #require(Self.decoded(signature))
    let digest = try SHA256.digest(of: Array(signed.utf8).span)
    func isValid(_ signature: [UInt8], _ digest: Digest) -> Bool { verifier.isValid(signature.span, of: digest) }
    #expect(isValid(bytes, digest))
    for bit in [0, 7, 1000, 2047] {
      var changed = bytes
      changed[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(!isValid(changed, digest))
    }
    #expect(!isValid(Array(bytes.dropLast()), digest))
    #expect(!isValid([], digest))
    let other = try SHA256.digest(of: Array((signed + "A").utf8).span)
    #expect(!isValid(bytes, other))
    // A failure leaves nothing behind.
    #expect(isValid(bytes, digest))
  }

  private static func decoded(_ text: String) -> [UInt8]? { Base64URL.decode(Array(text.utf8).span) }

  @Test func `a genuine one gives its claims and its user, at first and from memory`() throws {
    let verifier = try Self.verifier()
    let jwt = Array(try Self.key.get().jwt(Self.payload()).utf8)
    for _ in 0..<3 {
      let token = try verifier.verify(jwt.span, at: Timestamp(milliseconds: Self.now * 1000))
      #expect(token.claims.sid.description == Self.sid)
      #expect(token.claims.user == TokenClaimsTests.uuid(Self.user))
      #expect(token.claims.environment == TokenClaimsTests.uuid(Self.environment))
      #expect(token.claims.issuedAt == NumericDate(milliseconds: (Self.now - 100) * 1000))
      #expect(String(decoding: token.user, as: UTF8.self) == Self.user)
    }
  }

  @Test(
    arguments: [
      ([:], nil), (["exp": "\(now - 59)"], nil), (["exp": "\(now - 60)"], .expired), (["exp": "\(now - 59).9"], nil),
      (["exp": "\(now - 60).9"], .expired), (["exp": "0"], .expired), (["exp": "-1"], .expired),
      (["exp": nil], .notGenuine), (["exp": "null"], .notGenuine), (["exp": #""\#(now + 1)""#], .notGenuine),
      (["exp": "1e10"], .notGenuine), (["exp": "99999999999999999999"], .notGenuine),
      (["nbf": "\(now + 60)"], nil), (["nbf": "\(now + 61)"], .notGenuine), (["nbf": #""0""#], .notGenuine),
      (["nbf": "null"], .notGenuine), (["iat": "\(now + 60)"], nil), (["iat": "\(now + 61)"], .notGenuine),
      (["iat": nil], nil), (["iat": "true"], .notGenuine),
      (["environment_id": #""55555555-5555-4555-8555-555555555556""#], .notGenuine),
      (["environment_id": nil], .notGenuine),
      (["environment_id": "7"], .unreadable(.notAString)),
      (["scope": #""user:basic""#], nil), (["scope": #""a user:basic""#], nil), (["scope": nil], .scope),
      (["scope": #""""#], .scope), (["scope": #""user:basics""#], .scope), (["scope": #""user:basic\tx""#], .scope),
      (["scope": #""USER:BASIC""#], .scope), (["scope": #"["user:basic"]"#], .scope),
      (["scope": #""requiresAdditionalAuth""#], .scope), (["scope": nil, "exp": "0"], .expired),
      (["x": String(repeating: "9", count: 1001)], .notGenuine),
      (["x": #""\#(String(repeating: "9", count: 4400))""#], nil),
      (["x": String(repeating: "[", count: 63) + String(repeating: "]", count: 63)], nil),
      (["iss": "true"], .notGenuine), (["iss": "null"], .notGenuine), (["iss": nil], nil), (["jti": #""x""#], nil),
      (["jti": "7"], .notGenuine), (["aud": "7"], .notGenuine), (["aud": "null"], .notGenuine),
      (["aud": "[7]"], .notGenuine),
      (["aud": "[]"], nil), (["aud": nil], nil),
      (["sub": nil], .notGenuine), (["sub": #""""#], .notGenuine), (["sub": #""a\r\nX-Auth-User: b""#], .notGenuine),
      (["sub": #""é""#], .notGenuine), (["sub": #""any-visible_text:1""#], nil),
      (["sub": #""\#(String(repeating: "a", count: 129))""#], .notGenuine),
    ] as [([String: String?], TokenRefusal?)])
  func `is refused for what its claims say`(changes: [String: String?], refusal: TokenRefusal?) throws {
    let jwt = try Self.key.get().jwt(Self.payload(changes))
    #expect(Self.refusal(jwt, try Self.verifier()) == refusal)
  }

  @Test func `is asked for a scope and an audience only as configured`() throws {
    let key = try Self.key.get()
    var rules = TokenRules(environment: Self.environment, scope: nil, audience: "https://app.example.com")
    let verifier = try Self.verifier(rules)
    for aud in [#""https://app.example.com""#, #"["x","https://app.example.com"]"#] {
      #expect(Self.refusal(try key.jwt(Self.payload(["aud": aud, "scope": nil])), verifier) == nil)
    }
    for aud in [nil, "null", "[]", #""https://app.example.com/""#, #"["x"]"#, #"["https://app.example.com",7]"#, "{}"] {
      #expect(Self.refusal(try key.jwt(Self.payload(["aud": aud])), verifier) == .notGenuine)
    }
    rules.scope = "admin"
    #expect(Self.refusal(try key.jwt(Self.payload()), try Self.verifier(rules)) == .scope)
  }

  @Test(
    arguments: [
      (#"{"alg":"RS256","kid":"k1"}"#, nil), (#"{"kid":"k1","alg":"RS256","typ":"at+jwt","x":[1]}"#, nil),
      (#"{"alg":"RS256","kid":"\u006b1","jku":"https://a/","x5u":"https://a/","jwk":{},"x5c":["a"],"x5t":"a"}"#, nil),
      (#"{"alg":"none","kid":"k1"}"#, .notGenuine), (#"{"alg":"","kid":"k1"}"#, .notGenuine),
      (#"{"alg":"HS256","kid":"k1"}"#, .notGenuine), (#"{"alg":"RS384","kid":"k1"}"#, .notGenuine),
      (#"{"alg":"PS256","kid":"k1"}"#, .notGenuine), (#"{"alg":"rs256","kid":"k1"}"#, .notGenuine),
      (#"{"alg":["RS256"],"kid":"k1"}"#, .notGenuine), (#"{"kid":"k1"}"#, .notGenuine),
      (#"{"alg":"RS256"}"#, .notGenuine), (#"{"alg":"RS256","kid":1}"#, .notGenuine),
      (#"{"alg":"RS256","kid":null}"#, .notGenuine), (#"{"alg":"RS256","kid":"k1","crit":["exp"]}"#, .notGenuine),
      (#"{"alg":"RS256","kid":"k1","crit":[]}"#, .notGenuine), (#"{"alg":"RS256","kid":"k1","b64":true}"#, .notGenuine),
      (#"{"alg":"RS256","kid":"k1","zip":"DEF"}"#, .notGenuine), (#"{"alg":"RS256","kid":"k1","jku":7}"#, .notGenuine),
      (#"{"alg":"RS256","kid":"k1","jwk":"x"}"#, .notGenuine), (#"{"alg":"RS256","kid":"k1","typ":null}"#, .notGenuine),
      (#"{"alg":"RS256","kid":"k1","alg":"RS256"}"#, .unreadable(.repeated)),
      (#"{"alg":"none","kid":"k1","\u0061lg":"RS256"}"#, .unreadable(.repeated)),
      (#"["alg"]"#, .unreadable(.notAnObject)),
      (#"{"alg":"RS256","kid":"K1"}"#, .unknownKey(UnknownKey(id: Array("K1".utf8), issuedAt: issuedAt))),
      (#"{"alg":"RS256","kid":""}"#, .unknownKey(UnknownKey(id: [], issuedAt: issuedAt))),
    ] as [(String, TokenRefusal?)])
  func `is refused for what its header says, whoever signed it`(header: String, refusal: TokenRefusal?) throws {
    let jwt = try Self.key.get().jwt(Self.payload(), header: header)
    #expect(Self.refusal(jwt, try Self.verifier()) == refusal)
  }

  static let issuedAt = NumericDate(milliseconds: (now - 100) * 1000)

  @Test func `is refused if another key of the same name signed it, or none, or if a bit was changed`() throws {
    let verifier = try Self.verifier()
    let genuine = try Self.key.get().jwt(Self.payload())
    #expect(Self.refusal(try Self.stranger.get().jwt(Self.payload()), verifier) == .notGenuine)
    let parts = genuine.split(separator: ".").map(String.init)
    let other = SigningKey.base64URL(Array(Self.payload(["sub": #""55555555-5555-4555-8555-555555555555""#]).utf8))
    #expect(Self.refusal("\(parts[0]).\(other).\(parts[2])", verifier) == .notGenuine)
    #expect(Self.refusal("\(parts[0]).\(parts[1]).AA", verifier) == .notGenuine)
    #expect(Self.refusal("\(parts[0]).\(parts[1]).", verifier) == .unreadable(.notThreeParts))
    // HMAC with the public key as its secret, the classic confusion.
    let header = SigningKey.base64URL(Array(#"{"alg":"HS256","kid":"k1"}"#.utf8))
    let code = try HMACSHA256(key: Array(try Self.key.get().jwk().utf8).span).code(
      for: Array("\(header).\(parts[1])".utf8).span)
    let signature = SigningKey.base64URL(code.bytes.indices.map { code.bytes[$0] })
    #expect(Self.refusal("\(header).\(parts[1]).\(signature)", verifier) == .notGenuine)
    #expect(Self.refusal(genuine, verifier) == nil)
  }

  @Test func `with an unknown key is looked up again only if nothing else is wrong`() throws {
    let stranger = try SigningKey("k9")
    let verifier = try Self.verifier()
    #expect(
      Self.refusal(try stranger.jwt(Self.payload()), verifier)
        == .unknownKey(UnknownKey(id: Array("k9".utf8), issuedAt: Self.issuedAt)))
    #expect(Self.refusal(try stranger.jwt(Self.payload(["exp": "0"])), verifier) == .expired)
    #expect(Self.refusal(try stranger.jwt(Self.payload(["environment_id": #""x""#])), verifier) == .notGenuine)
  }

  @Test func `is forgotten when it expires, and when the keys change`() throws {
    let (key, next) = (try Self.key.get(), try SigningKey("k2"))
    let verifier = try Self.verifier()
    let jwt = try key.jwt(Self.payload())
    #expect(Self.refusal(jwt, verifier) == nil)
    #expect(Self.refusal(jwt, verifier, at: Self.now + 3659) == nil)
    #expect(Self.refusal(jwt, verifier, at: Self.now + 3660) == .expired)
    try verifier.use(try KeySetTests.keys(SigningKey.keySet(next)))
    guard case .unknownKey = Self.refusal(jwt, verifier) else {
      Issue.record("a token of a removed key passes")
      return
    }
    try verifier.use(try KeySetTests.keys(SigningKey.keySet(key, next)))
    #expect(Self.refusal(jwt, verifier) == nil)
    #expect(Self.refusal(try next.jwt(Self.payload()), verifier) == nil)
  }

  @Test func `never counts twice: with the same key id under two keys, either signs`() throws {
    let verifier = TokenVerifier(TokenRules(environment: Self.environment))
    let (one, other) = (try Self.key.get(), try Self.stranger.get())
    try verifier.use(try KeySetTests.keys(SigningKey.keySet(one, other)))
    #expect(Self.refusal(try one.jwt(Self.payload()), verifier) == nil)
    #expect(Self.refusal(try other.jwt(Self.payload()), verifier) == nil)
  }

  /// By the clock, so only when it is asked for.
  @Test(.enabled(if: LongRun.isAsked, "it measures: REVOKED_LONG=1"))
  func `takes as long to refuse whether all of a signature is wrong or only its last byte`() throws {
    let verifier = try Self.verifier()
    let genuine = try Self.key.get().jwt(Self.payload())
    let parts = genuine.split(separator: ".").map(String.init)
    let signature = try #require(Self.decoded(parts[2]))
    // From this byte on it is another one; the first stays, so that the number stays below the modulus.
    let starts = [1, 128, 255]
    let tokens = starts.map { start in
      let wrong = signature.enumerated().map { $0.offset >= start ? ~$0.element : $0.element }
      return Array("\(parts[0]).\(parts[1]).\(SigningKey.base64URL(wrong))".utf8)
    }
    var times = starts.map { _ in [Duration]() }
    // In turn, so that what else the machine does falls on all alike.
    for _ in 0..<1500 {
      for (index, token) in tokens.enumerated() {
        let began = ContinuousClock.now
        let isRefused = (try? verifier.verify(token.span, at: Timestamp(milliseconds: Self.now * 1000))) == nil
        times[index].append(began.duration(to: .now))
        if !isRefused { Issue.record("a wrong signature passes") }
      }
    }
    let medians = times.map { $0.sorted()[750] / .nanoseconds(1) }
    let (least, most) = (medians.min() ?? 0, medians.max() ?? 0)
    print("medians in ns: \(medians)")
    #expect(most < least * 1.1, "\(medians)")
  }
}
