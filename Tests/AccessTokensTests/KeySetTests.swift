import TestSupport
import Testing

@testable import AccessTokens

@Suite("The key set of an environment", .timeLimit(.minutes(1)))
struct KeySetTests {
  static func keys(_ text: String) throws(KeySet.Unusable) -> KeySet { try KeySet(Array(text.utf8).span) }

  static let signing = Result { try SigningKey("k1") }
  static let second = Result { try SigningKey("k2") }

  @Test func `keys are found among members and keys of others`() throws {
    let (first, second) = (try Self.signing.get(), try Self.second.get())
    #expect(try Self.keys(SigningKey.keySet(first, second)).keyIDs == ["k1", "k2"])
    let mixed = """
      { "a": [1, {"keys": 7}], "keys": [ 7, null, "x", [], {}, \(try SigningKey("ec", .p256).jwk()),
        \(try first.jwk(extra: #","x5c":["a"],"key_ops":["verify"],"n2":{"n":1}"#)),
        \(try second.jwk(extra: #","use":"enc""#)) ], "b": null }
      """
    #expect(try Self.keys(mixed).keyIDs == ["k1"])
    #expect(try Self.keys(#"{"keys":[\#(try first.jwk(extra: ""))]}"#).keyIDs == ["k1"])
  }

  @Test func `a key that is not fit for RS256 is passed over, and a set of nothing else is refused`() throws {
    let key = try Self.signing.get()
    let unfit = try [
      SigningKey("small", .rsa(bits: 1024)).jwk(), SigningKey("ec", .p256).jwk(), key.jwk(extra: #","use":"enc""#),
      key.jwk(extra: #","alg":"RS512""#), key.jwk(extra: #","alg":"HS256""#), key.jwk(extra: #","use":7"#),
      key.jwk(extra: #","key_ops":["sign"]"#), key.jwk(extra: #","key_ops":"verify""#), key.jwk(id: ""),
      key.jwk(extra: #","e":"AQAB""#), key.jwk(extra: #","kid":"k1""#), key.jwk(extra: #","use":"sig","use":"sig""#),
      key.jwk().replacing(#""kty":"RSA""#, with: #""kty":"rsa""#),
      key.jwk().replacing(#""kid":"k1""#, with: #""kid":1"#),
      key.jwk().replacing(#""e":"AQAB""#, with: #""e":"AQAC""#),
      key.jwk().replacing(#""e":"AQAB""#, with: #""e":"AQ""#),
      key.jwk().replacing(#""e":"AQAB""#, with: #""e":"""#), key.jwk().replacing(#""e":"AQAB""#, with: #""e":"AQAB=""#),
      key.jwk().replacing(#""n":""#, with: #""n":"+"#), key.jwk().replacing(#""n":""#, with: #""m":""#),
      key.jwk().replacing(#""kid":"k1","#, with: ""),
    ]
    for jwk in unfit {
      #expect(throws: KeySet.Unusable.noKey(others: 1), "\(jwk)") { try Self.keys(#"{"keys":[\#(jwk)]}"#) }
    }
  }

  @Test func `what is no key set is refused`() throws {
    let key = try Self.signing.get().jwk()
    for text in ["[]", "null", "{}", #"{"keys":{}}"#, #"{"Keys":[]}"#, #"{"keys":[\#(key)],"keys":[]}"#] {
      #expect(throws: KeySet.Unusable.notAKeySet, "\(text)") { try Self.keys(text) }
    }
    for text in ["", "{", #"{"keys":[\#(key)]"#, #"{"keys":[\#(key)]}x"#, "<html>"] {
      let error = #expect(throws: KeySet.Unusable.self, "\(text)") { try Self.keys(text) }
      guard case .notJSON = error else {
        Issue.record("\(text): \(String(describing: error))")
        continue
      }
    }
    #expect(throws: KeySet.Unusable.noKey(others: 0)) { try Self.keys(#"{"keys":[]}"#) }
    #expect(throws: KeySet.Unusable.tooLarge(bytes: 65_537)) { try Self.keys(String(repeating: " ", count: 65_537)) }
  }

  @Test func `no more keys are taken than a rotation could ever need`() throws {
    let key = try Self.signing.get()
    let many = try (0..<100).map { try key.jwk(id: "\($0)") }.joined(separator: ",")
    #expect(try Self.keys(#"{"keys":[\#(many)]}"#).keyIDs.count == 32)
  }
}
