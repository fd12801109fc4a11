import Foundation
import Testing

@testable import DynamicEvents

@Suite("The session ids in a JWT", .timeLimit(.minutes(2)))
struct SessionClaimsTests {
  static let sid = "3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10"
  static let other = "00112233-4455-6677-8899-aabbccddeeff"
  static let header = base64URL(#"{"alg":"RS256","kid":"k","typ":"JWT"}"#)
  static let signature = String(repeating: "c2ln", count: 86)

  static func base64URL(_ text: String) -> String {
    Data(text.utf8).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
  }

  static func jwt(_ payload: String) -> String { "\(header).\(base64URL(payload)).\(signature)" }

  static func claims(_ text: String) throws(UnusableJWT) -> SessionClaims {
    try SessionClaims(jwt: Array(text.utf8).span)
  }

  @Test(
    "are read wherever they stand",
    arguments: [
      (#"{"sid":"\#(sid)"}"#, nil),
      (#"{"iss":"app.dynamicauth.com/e","sub":"u","sid":"\#(sid)","exp":1,"aud":["a",{"sid":"x"}]}"#, nil),
      (#" { "a" : { "sid" : "\#(other)" } , "sid" : "\#(sid)" } "#, nil),
      (#"{"sid":"\#(sid)","originalSid":"\#(other)"}"#, other),
      (#"{"originalSid":"\#(other)","refreshExp":2,"sid":"\#(sid)"}"#, other),
      (#"{"sid":"\#(sid)","originalSid":"\#(sid)"}"#, sid),
      (#"{"sid":"\#(sid)","originalSid":null}"#, nil),
      (#"{"s\u0069d":"\#(sid.replacing("-", with: "\\u002d"))"}"#, nil),
      (#"{"sid":"\#(sid)","SID":"x","originalsid":"x","name":"\#(String(repeating: "é😀", count: 2000))"}"#, nil),
      (#"{"sid":"\#(sid.uppercased())","originalSid":"\#(other.uppercased())"}"#, other),
    ] as [(String, String?)])
  func read(payload: String, original: String?) throws {
    // Each of the three lengths that base64url can end in.
    for padding in ["", " ", "  "] {
      let claims = try Self.claims(Self.jwt(payload + padding))
      #expect("\(claims.sid)" == Self.sid)
      #expect(claims.originalSid?.description == original)
    }
  }

  @Test(
    "are refused when they leave a doubt which session it is",
    arguments: [
      (#"{}"#, .noSessionID), (#"{"sub":"\#(sid)"}"#, .noSessionID), (#"{"sid":null}"#, .noSessionID),
      (#"{"sid":""}"#, .noSessionID), (#"{"sid":7}"#, .noSessionID), (#"{"sid":["\#(sid)"]}"#, .noSessionID),
      (#"{"sid":" \#(sid)"}"#, .noSessionID),
      (#"{"Sid":"\#(sid)"}"#, .noSessionID), (#"{"originalSid":"\#(sid)"}"#, .noSessionID),
      (#"{"data":{"sid":"\#(sid)"}}"#, .noSessionID),
      (#"{"sid":"\#(sid)","originalSid":""}"#, .noOriginalSessionID),
      (#"{"sid":"\#(sid)","originalSid":false}"#, .noOriginalSessionID),
      (#"{"sid":"\#(sid)","sid":"\#(other)"}"#, .repeatedClaim),
      (#"{"sid":"\#(sid)","s\u0069d":"\#(sid)"}"#, .repeatedClaim), (#"{"sid":null,"sid":"\#(sid)"}"#, .repeatedClaim),
      (#"{"sid":"\#(sid)","originalSid":null,"originalSid":"\#(other)"}"#, .repeatedClaim),
      ("[]", .notAnObject), ("null", .notAnObject), (#""\#(sid)""#, .notAnObject),
    ] as [(String, UnusableJWT)])
  func doubtful(payload: String, error: UnusableJWT) {
    #expect(throws: error) { try Self.claims(Self.jwt(payload)) }
  }

  @Test(
    "are not looked for in what is not JSON",
    arguments: [
      "", "{", #"{"sid":"\#(sid)""#, #"{"sid":"\#(sid)",}"#, #"{"sid":"\#(sid)"}x"#, #"{'sid':'\#(sid)'}"#,
      "\u{feff}{\"sid\":\"\(sid)\"}", "{\"sid\":\"\(sid)\",\"a\":\"\n\"}",
      #"{"sid":"\#(sid)","a":\#(String(repeating: "[", count: 100_000))"#,
    ])
  func notJSON(payload: String) {
    let error = #expect(throws: UnusableJWT.self) { try Self.claims(Self.jwt(payload)) }
    guard case .notJSON = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  static let payload = base64URL(#"{"sid":"\#(sid)"}"#)

  @Test(
    "are not looked for in what is no JWT",
    arguments: [
      ("", .notThreeParts), (".", .notThreeParts), (payload, .notThreeParts), ("\(header).\(payload)", .notThreeParts),
      ("\(header).\(payload).", .notThreeParts), (".\(payload).\(signature)", .notThreeParts),
      ("\(header).\(payload).\(signature).", .notThreeParts), ("\(header).a.\(payload).b.\(signature)", .notThreeParts),
      (String(repeating: ".", count: 16_000), .notThreeParts), ("\(header) .\(payload).\(signature)", .notBase64URL),
      ("\(header).\(payload).\(signature)=", .notBase64URL), ("\(header).\(payload)=.\(signature)", .notBase64URL),
      ("\(header).\(payload)\n.\(signature)", .notBase64URL), ("\(header).+/+/.\(signature)", .notBase64URL),
      ("\(header).\(payload).\(signature), Bearer x", .notBase64URL), ("é.\(payload).\(signature)", .notBase64URL),
      ("\(header).e30A1.\(signature)", .notBase64URL), ("\(header).e31.\(signature)", .notBase64URL),
    ] as [(String, UnusableJWT)])
  func noJWT(text: String, error: UnusableJWT) {
    #expect(throws: error) { try Self.claims(text) }
  }

  @Test("An empty payload is base64url, but not JSON")
  func emptyPayload() {
    #expect(throws: UnusableJWT.notJSON(JSONError(offset: 0, reason: .unexpectedEnd))) {
      try Self.claims("\(Self.header)..\(Self.signature)")
    }
  }

  @Test("A JWT cut anywhere names no session")
  func truncated() {
    let whole = Array(Self.jwt(#"{"sid":"\#(Self.sid)"}"#).utf8)
    let unsigned = whole.count - Self.signature.utf8.count
    for end in 0...unsigned { #expect(throws: UnusableJWT.self) { try SessionClaims(jwt: Array(whole[..<end]).span) } }
  }

  @Test("Base64url is read as Foundation reads it, and what no encoder writes is refused")
  func agreement() {
    var generator = SystemRandomNumberGenerator()
    for count in 0..<200 {
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
      let text = Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
        .replacing("=", with: "")
      #expect(Self.decode(text) == bytes)
      // The same with one more bit in a last digit that has bits to spare.
      if count % 3 != 0, let last = text.utf8.last, last != UInt8(ascii: "_"), last != UInt8(ascii: "z") {
        #expect(Self.decode(String(text.dropLast()) + "_") == nil)
      }
    }
  }

  @Test("Every byte counts at every place: as its digit, or as none")
  func everyByte() {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    for place in 0..<20 {
      for byte in UInt8.min ... .max {
        var text = [UInt8](repeating: UInt8(ascii: "z"), count: 20)
        text[place] = byte
        let digits = text.map { alphabet.firstIndex(of: $0) }
        #expect(Base64URL.isAlphabet(text.span) == digits.allSatisfy { $0 != nil }, "\(byte) at \(place)")
        let bits = digits.flatMap { digit in (0..<6).map { (digit ?? 0) >> (5 - $0) & 1 } }
        let bytes = stride(from: 0, to: bits.count, by: 8).map { UInt8(bits[$0..<$0 + 8].reduce(0) { $0 << 1 | $1 }) }
        #expect(Base64URL.decode(text.span) == (digits.contains(nil) ? nil : bytes), "\(byte) at \(place)")
      }
    }
  }

  private static func decode(_ text: String) -> [UInt8]? { Base64URL.decode(Array(text.utf8).span) }
}
