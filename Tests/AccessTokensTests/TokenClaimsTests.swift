import AccessTokens
import DynamicEvents
import TestSupport
import Testing

@Suite("The claims of a JWT that is not verified", .timeLimit(.minutes(1)))
struct TokenClaimsTests {
  static let sid = "3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10"
  static let other = "00112233-4455-6677-8899-aabbccddeeff"
  static let header = SigningKey.base64URL(Array(#"{"alg":"RS256","kid":"k","typ":"JWT"}"#.utf8))
  static let signature = String(repeating: "c2ln", count: 86)

  static func jwt(_ payload: String) -> String {
    "\(header).\(SigningKey.base64URL(Array(payload.utf8))).\(signature)"
  }

  static func claims(_ text: String) throws(UnreadableToken) -> TokenClaims {
    try TokenClaims(unverified: Array(text.utf8).span)
  }

  static func uuid(_ text: String) -> UUIDBytes? { UUIDBytes(uuid: Array(text.utf8).span) }

  @Test(
    arguments: [
      (#"{"sid":"\#(sid)"}"#, nil),
      (#"{"iss":"app.dynamicauth.com/e","sub":"u","sid":"\#(sid)","exp":1,"aud":["a",{"sid":"x"}]}"#, nil),
      (#" { "a" : { "sid" : "\#(other)" } , "sid" : "\#(sid)" } "#, nil),
      (#"{"sid":"\#(sid)","originalSid":"\#(other)"}"#, other),
      (#"{"originalSid":"\#(other)","refreshExp":2,"sid":"\#(sid)"}"#, other),
      (#"{"sid":"\#(sid)","originalSid":null}"#, nil),
      (#"{"s\u0069d":"\#(sid.replacing("-", with: "\\u002d"))"}"#, nil),
      (#"{"sid":"\#(sid)","SID":"x","originalsid":"x","name":"\#(String(repeating: "é😀", count: 2000))"}"#, nil),
    ] as [(String, String?)])
  func `are read wherever they stand`(payload: String, original: String?) throws {
    // Each of the three lengths that base64url can end in.
    for padding in ["", " ", "  "] {
      let claims = try Self.claims(Self.jwt(payload + padding))
      #expect("\(claims.sid)" == Self.sid)
      #expect(claims.originalSid?.description == original)
    }
  }

  @Test func `user, environment and time are read, each only in a form that can be cut off`() throws {
    let claims = try Self.claims(
      Self.jwt(#"{"sid":"\#(Self.sid)","sub":"\#(Self.other)","environment_id":"\#(Self.sid)","iat":1700000000.5}"#))
    #expect(claims.user == Self.uuid(Self.other))
    #expect(claims.environment == Self.uuid(Self.sid))
    #expect(claims.issuedAt?.milliseconds == 1_700_000_000_500)
    for (sub, environment, iat) in [
      ("null", "null", "null"), (#""u""#, #""""#, #""1700000000""#), (#""é""#, #""x""#, "1e9"),
    ] {
      let claims = try Self.claims(
        Self.jwt(#"{"sid":"\#(Self.sid)","sub":\#(sub),"environment_id":\#(environment),"iat":\#(iat)}"#))
      #expect(claims.user == nil && claims.environment == nil && claims.issuedAt == nil)
    }
  }

  @Test(
    arguments: [
      (#"{}"#, .noSessionID), (#"{"sub":"\#(sid)"}"#, .noSessionID), (#"{"sid":null}"#, .noSessionID),
      (#"{"sid":""}"#, .noSessionID), (#"{"sid":7}"#, .noSessionID), (#"{"sid":["\#(sid)"]}"#, .noSessionID),
      (#"{"sid":" \#(sid)"}"#, .noSessionID), (#"{"Sid":"\#(sid)"}"#, .noSessionID),
      (#"{"originalSid":"\#(sid)"}"#, .noSessionID), (#"{"data":{"sid":"\#(sid)"}}"#, .noSessionID),
      (#"{"sid":"\#(sid)","originalSid":""}"#, .noOriginalSessionID),
      (#"{"sid":"\#(sid)","originalSid":false}"#, .noOriginalSessionID),
      (#"{"sid":"\#(sid)","sid":"\#(other)"}"#, .repeated), (#"{"sid":"\#(sid)","s\u0069d":"\#(sid)"}"#, .repeated),
      (#"{"sid":null,"sid":"\#(sid)"}"#, .repeated),
      (#"{"sid":"\#(sid)","originalSid":null,"originalSid":"\#(other)"}"#, .repeated),
      (#"{"sid":"\#(sid)","sub":"a","sub":"b"}"#, .repeated), (#"{"sid":"\#(sid)","iat":1,"iat":2}"#, .repeated),
      (#"{"sid":"\#(sid)","environment_id":"a","environment\u005fid":"a"}"#, .repeated),
      (#"{"sid":"\#(sid)","sub":7}"#, .notAString), (#"{"sid":"\#(sid)","sub":["\#(other)"]}"#, .notAString),
      (#"{"sid":"\#(sid)","environment_id":{}}"#, .notAString),
      ("[]", .notAnObject), ("null", .notAnObject), (#""\#(sid)""#, .notAnObject),
    ] as [(String, UnreadableToken)])
  func `are refused when they leave a doubt which session it is, or whose`(payload: String, error: UnreadableToken) {
    #expect(throws: error) { try Self.claims(Self.jwt(payload)) }
  }

  @Test(arguments: [
    "", "{", #"{"sid":"\#(sid)""#, #"{"sid":"\#(sid)",}"#, #"{"sid":"\#(sid)"}x"#, #"{'sid':'\#(sid)'}"#,
    "\u{feff}{\"sid\":\"\(sid)\"}", "{\"sid\":\"\(sid)\",\"a\":\"\n\"}", #"{"sid":"\#(sid)","iat":NaN}"#,
    #"{"sid":"\#(sid)","a":\#(String(repeating: "[", count: 100_000))"#,
  ])
  func `are not looked for in what is not JSON`(payload: String) {
    let error = #expect(throws: UnreadableToken.self) { try Self.claims(Self.jwt(payload)) }
    guard case .notJSON = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  static let payload = SigningKey.base64URL(Array(#"{"sid":"\#(sid)"}"#.utf8))

  @Test(
    arguments: [
      ("", .notThreeParts), (".", .notThreeParts), (payload, .notThreeParts), ("\(header).\(payload)", .notThreeParts),
      ("\(header).\(payload).", .notThreeParts), (".\(payload).\(signature)", .notThreeParts),
      ("\(header).\(payload).\(signature).", .notThreeParts), ("\(header).a.\(payload).b.\(signature)", .notThreeParts),
      (String(repeating: ".", count: 16_000), .notThreeParts), ("\(header) .\(payload).\(signature)", .notBase64URL),
      ("\(header).\(payload).\(signature)=", .notBase64URL), ("\(header).\(payload)=.\(signature)", .notBase64URL),
      ("\(header).\(payload)\n.\(signature)", .notBase64URL), ("\(header).+/+/.\(signature)", .notBase64URL),
      ("\(header).\(payload).\(signature), Bearer x", .notBase64URL), ("é.\(payload).\(signature)", .notBase64URL),
      ("\(header).e30A1.\(signature)", .notBase64URL), ("\(header).e31.\(signature)", .notBase64URL),
    ] as [(String, UnreadableToken)])
  func `are not looked for in what is no JWT`(text: String, error: UnreadableToken) {
    #expect(throws: error) { try Self.claims(text) }
  }

  @Test func `A JWT cut anywhere names no session`() {
    let whole = Array(Self.jwt(#"{"sid":"\#(Self.sid)"}"#).utf8)
    let unsigned = whole.count - Self.signature.utf8.count
    for end in 0...unsigned {
      #expect(throws: UnreadableToken.self) { try TokenClaims(unverified: Array(whole[..<end]).span) }
    }
  }

  @Test(
    arguments: [
      ("0", 0), ("1700000000", 1_700_000_000_000), ("1700000000.25", 1_700_000_000_250), ("-1.5", -1500),
      ("1.9999", 1999), ("-1.9999", -2000), ("1.000", 1000), ("999999999999", 999_999_999_999_000), ("-0", 0),
      ("1000000000000", nil), ("1e9", nil), ("1E9", nil), (#""1""#, nil), ("null", nil), ("true", nil), ("[1]", nil),
      (String(repeating: "9", count: 5000), nil), ("-", nil), ("1.", nil), ("", nil), (".5", nil), ("+1", nil),
    ] as [(String, Int64?)])
  func `A time is a JSON number of seconds, without an exponent`(text: String, milliseconds: Int64?) {
    #expect(NumericDate(Array(text.utf8).span)?.milliseconds == milliseconds)
  }
}
