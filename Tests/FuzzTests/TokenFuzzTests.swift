import TestSupport
import Testing

@Suite("Cookies, JWTs and key sets under mutation", .timeLimit(.minutes(5)))
struct TokenFuzzTests {
  @Test func `no other reader finds another token among the cookies`() {
    FuzzRun.inputs(20_000) { random in
      var field = Array(random.pick(Self.cookies).utf8)
      if random.oneIn(3) { field += Array("; \(random.pick(Self.cookies))".utf8) }
      if !random.oneIn(8) { Self.cookieMutator.mutate(&field, &random) }
      return (field, GateCheck.cookie.violation(field))
    }
  }

  @Test(arguments: [GateCheck.token, .payload])
  func `what is read of a JWT, Foundation reads as well`(reader: GateCheck) {
    FuzzRun.inputs(20_000) { random in
      var input = Array(random.pick(reader == .token ? Self.tokens : Self.payloads).utf8)
      if !random.oneIn(16) { Self.tokenMutator.mutate(&input, &random) }
      return (input, reader.violation(input))
    }
  }

  @Test func `every key that is taken stands in the set`() throws {
    let keys = try [SigningKey("k1").jwk(), SigningKey("k2").jwk(extra: ""), SigningKey("ec", .p256).jwk()]
    FuzzRun.inputs(5_000) { random in
      var text = Array(#"{"keys":[\#(random.pick(keys)),\#(random.pick(keys))]}"#.utf8)
      if !random.oneIn(16) { Self.tokenMutator.mutate(&text, &random) }
      return (text, GateCheck.keySet.violation(text))
    }
  }

  private static let cookies = [
    "DYNAMIC_JWT_TOKEN=a.b.c", "a=b; DYNAMIC_JWT_TOKEN=a.b.c; c=d", "theme={\"a\":\"b=c\"}; x=y", "a=b",
    "%44YNAMIC_JWT_TOKEN=a", "DYNAMIC.JWT TOKEN=a", "dynamic_jwt_token=x", "a=\"b; DYNAMIC_JWT_TOKEN=a\"",
  ]

  private static let cookieMutator = Mutator(
    tokens: [
      "DYNAMIC_JWT_TOKEN", "DYNAMIC_JWT_TOKEN=", "dynamic_jwt_token=", "DYNAMIC.JWT.TOKEN=", "%44YNAMIC_JWT_TOKEN=",
      "; ",
      ";", ",", " ", "\t", "=", "\"", "\\", "%", "%20", "%5f", "%3D", "+", "[", "a=b", "\u{e9}",
    ].map { Array($0.utf8) })

  private static let payloads = [
    #"{"sid":"3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10","sub":"44444444-4444-4444-8444-444444444444","iat":1700000000}"#,
    #"{"originalSid":"00112233-4455-6677-8899-aabbccddeeff","sid":"3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10","exp":1}"#,
    #"{"environment_id":"55555555-5555-4555-8555-555555555555","s\u0069d":"3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10","#
      + #""iat":1.5}"#,
  ]

  private static let tokens = payloads.map {
    "eyJhbGciOiJSUzI1NiJ9.\(SigningKey.base64URL(Array($0.utf8))).c2lnbmF0dXJl"
  }

  private static let tokenMutator = Mutator(
    tokens: [
      "\"sid\":", "\"originalSid\":", "\"sub\":", "\"iat\":", "\"environment_id\":", "null", "1e9", "1700000000", "-1",
      "{",
      "}", "[", "]", ",", ":", "\"", "\\", "\\u0073", "\\ud83d", ".", "=", "-", "_", "+", "/", "A", "\"kid\":\"k1\"",
      "\"kty\":\"RSA\"", "\"e\":\"AQAB\"", "\"keys\":", "\u{feff}", "\u{0}", "\u{e9}",
    ].map { Array($0.utf8) })
}
