import Signature
import TestSupport
import Testing

@testable import revoked

@Suite("What is said of a signature", .timeLimit(.minutes(2)))
struct SignatureDiagnosisTests {
  static let other = "dyn_another-secret-of-a-second-webhook"
  static let base64 = "5+8dr41X48BQbR8lIthx/UFtnqx6pnnNTyKGdwXxJig="

  struct Case: Sendable, CustomTestStringConvertible {
    /// The value, given the right one.
    var header: @Sendable (String) -> String = { $0 }
    var signed = Vector.sessionRevoked.text
    var received = Vector.sessionRevoked.text
    var signingKey = Vector.secret
    var secrets = [Vector.secret]
    /// A part of one of the findings.
    let finding: String
    /// How the last finding begins.
    var conclusion = "Apart from that, secret 1 of 1 matches"

    var testDescription: String { finding }
  }

  static let headers: [Case] = [
    Case(header: { $0.replacing("sha256=", with: "") }, finding: "prefix `sha256=` is missing"),
    Case(header: { $0.replacing("sha256", with: "SHA256") }, finding: "prefix is `SHA256=`"),
    Case(header: { $0.replacing("sha256", with: "sha-256") }, finding: "prefix is `sha-256=`"),
    Case(header: { "sha256=" + $0.dropFirst(7).uppercased() }, finding: "upper-case hexadecimal"),
    Case(header: { " " + $0 }, finding: "White space surrounds"),
    Case(header: { $0 + "\r\n" }, finding: "White space surrounds"),
    Case(header: { _ in "sha256=" + base64 }, finding: "in base64"),
    Case(header: { _ in base64 }, finding: "in base64"),
    Case(header: { "sha256=\(String(repeating: "0", count: 64)), " + $0 }, finding: "holds 2 values"),
    Case(header: { "x-dynamic-signature-256: " + $0 }, finding: "name stands in the value"),
    Case(header: { "X-Dynamic-Signature: " + $0 }, finding: "another product"),
    Case(header: { _ in "" }, finding: "value is empty", conclusion: "The header's value is empty"),
    Case(
      header: { _ in "sha1=da39a3ee5e6b4b0d3255bfef95601890afd80709" }, finding: "`sha1=`, another algorithm",
      conclusion: "The prefix is"),
    Case(
      header: { _ in Vector.secret + "=1" }, finding: "something else, another algorithm", conclusion: "The prefix is"),
    Case(header: { String($0.dropLast()) }, finding: "has 63 characters", conclusion: "The digest has"),
    Case(header: { $0 + "00" }, finding: "has 66 characters", conclusion: "The digest has"),
    Case(header: { $0.dropLast() + "g" }, finding: "not hexadecimal", conclusion: "The digest holds"),
  ]

  static let bodies: [Case] = [
    Case(received: Vector.sessionRevoked.text + "\n", finding: "newline (LF) was added"),
    Case(received: Vector.sessionRevoked.text + "\r\n", finding: "newline (CRLF) was added"),
    Case(signed: Vector.sessionRevoked.text + "\n", finding: "lost a trailing newline (LF)"),
    Case(signed: Vector.sessionRevoked.text + "\r\n", finding: "lost a trailing newline (CRLF)"),
    Case(signed: "{\n}\n", received: "{\r\n}\r\n", finding: "from LF to CRLF"),
    Case(signed: "{\r\n}\r\n", received: "{\n}\n", finding: "from CRLF to LF"),
    Case(received: "\u{FEFF}" + Vector.sessionRevoked.text, finding: "byte order mark"),
    Case(
      signed: #"{"a b":["x, y : {z}\" ,",1]}"#, received: "{\n  \"a b\" : [ \"x, y : {z}\\\" ,\", 1 ]\n}\n",
      finding: "white space was added"),
    Case(signed: #"{"u":"a/b\\/c"}"#, received: #"{"u": "a\/b\\\/c"}"#, finding: #"with `/` where"#),
    Case(signed: #"{"u":"a\/b\\\/c"}"#, received: #"{"u":"a/b\\/c"}"#, finding: #"with `\/` where"#),
    Case(
      signed: #"{"n":"é😀\"\\u00e9"}"#, received: #"{"n": "\u00e9\ud83d\uDE00\"\\u00e9"}"#,
      finding: "raw characters where"),
    Case(signed: #"{"n":"\u00e9\ud83d\ude00"}"#, received: #"{"n":"é😀"}"#, finding: "escapes where the body has raw"),
    Case(signed: #"{"n":"\u00E9\uD83D\uDE00"}"#, received: #"{"n":"é😀"}"#, finding: "upper-case `\\u`"),
    Case(signed: #"{"n":"é/"}"#, received: #"{"n":"\u00e9\/"}"#, finding: "nothing escaped"),
    Case(signed: #"{"n":"\u00e9\/"}"#, received: #"{"n":"é/"}"#, finding: #"`\/` and `\u` escapes"#),
  ]

  static let secrets: [Case] = [
    Case(signingKey: Vector.secret + "\n", finding: "a newline (LF) is left", conclusion: "Secret 1 of 1 matches when"),
    Case(
      signingKey: Vector.secret + "\r\n", finding: "a newline (CRLF) is left",
      conclusion: "Secret 1 of 1 matches when"),
    Case(secrets: [" \(Vector.secret)\n"], finding: "white space around it", conclusion: "Secret 1 of 1 matches when"),
    Case(signingKey: "\"\(Vector.secret)\"", finding: "quotes are put", conclusion: "Secret 1 of 1 matches when"),
    Case(signingKey: "'\(Vector.secret)'", finding: "quotes are put", conclusion: "Secret 1 of 1 matches when"),
    Case(secrets: ["'\(Vector.secret)'"], finding: "the quotes around", conclusion: "Secret 1 of 1 matches when"),
    Case(
      secrets: ["\u{FEFF}" + Vector.secret], finding: "begins with a byte order mark",
      conclusion: "Secret 1 of 1 matches when the byte order mark"),
    Case(
      secrets: ["DYNAMIC_WEBHOOK_SECRET=" + Vector.secret], finding: "NAME=VALUE",
      conclusion: "Secret 1 of 1 matches when the name before it is removed"),
    Case(
      secrets: ["SECRET='\(Vector.secret)'"], finding: "NAME=VALUE",
      conclusion: "Secret 1 of 1 matches when the name before it and the quotes"),
    Case(
      secrets: [#"{"secret":"\#(Vector.secret)"}"#], finding: "is JSON",
      conclusion: "Secret 1 of 1 matches when it is taken out of the JSON"),
    Case(
      secrets: ["\(other),\(Vector.secret)"], finding: "joined by a comma",
      conclusion: "Secret 1 of 1 matches when it is taken for several"),
    Case(
      signingKey: "sixteen and more bytes", secrets: ["whsec_c2l4dGVlbiBhbmQgbW9yZSBieXRlcw=="],
      finding: "is one of Standard Webhooks", conclusion: "Secret 1 of 1 matches when it is decoded as Standard"),
    Case(
      signingKey: other, secrets: ["${DYNAMIC_SECRET}"], finding: "is a placeholder",
      conclusion: "The body or the secret differs"),
    Case(
      signingKey: other, secrets: ["placeholder-until-registered"], finding: "does not begin with dyn_",
      conclusion: "The body or the secret differs"),
    Case(
      signingKey: "sixteen and more bytes", secrets: ["c2l4dGVlbiBhbmQgbW9yZSBieXRlcw=="], finding: "decoded as base64",
      conclusion: "Secret 1 of 1 matches when"),
    Case(
      signingKey: "0123456789abcdef", secrets: [other, "30313233343536373839616263646566"],
      finding: "decoded as hexadecimal", conclusion: "Secret 2 of 2 matches when"),
    Case(
      received: Vector.sessionRevoked.text + "\n", signingKey: Vector.secret + "\n", finding: "newline (LF) was added",
      conclusion: "Apart from that, secret 1 of 1 matches when"),
  ]

  @Test(arguments: headers + bodies + secrets)
  func `Each usual fault is named, and what matches apart from it`(fault: Case) throws {
    let key = Array(fault.signingKey.utf8)
    let digest = try HMACSHA256(key: key.span).code(for: Array(fault.signed.utf8).span)
    let diagnosis = try SignatureDiagnosis(
      headerValue: fault.header(SignatureHeader.value(for: digest)), body: Array(fault.received.utf8),
      secrets: fault.secrets.map { try Secret($0) })
    #expect(!diagnosis.isValid)
    #expect(diagnosis.findings.contains { $0.contains(fault.finding) }, "\(diagnosis.findings)")
    #expect(diagnosis.findings.last?.hasPrefix(fault.conclusion) == true, "\(diagnosis.findings)")
    for text in diagnosis.findings {
      for secret in fault.secrets + [fault.signingKey, digest.hex, digest.hex.uppercased()] {
        #expect(!text.contains(secret))
      }
    }
  }

  @Test func `A valid signature says only which secret matches`() throws {
    let secrets = [try Secret(Self.other), try Secret(Vector.secret), try Secret(Self.other + "3")]
    let diagnosis = try SignatureDiagnosis(
      headerValue: Vector.ping.signature, body: Vector.ping.body, secrets: secrets)
    #expect(diagnosis.isValid)
    #expect(diagnosis.findings == ["Secret 2 of 3 matches."])
  }

  @Test func `When nothing explains it, the body's size is told`() throws {
    let diagnosis = try SignatureDiagnosis(
      headerValue: Vector.ping.signature, body: Array("{}".utf8), secrets: [try Secret(Self.other)])
    #expect(!diagnosis.isValid)
    #expect(diagnosis.findings.count == 1)
    #expect(diagnosis.findings.first?.hasPrefix("The body or the secret differs") == true)
    #expect(diagnosis.findings.first?.contains("2 bytes") == true)
  }

  @Test func `Without a secret nothing matches, and that is said`() throws {
    let diagnosis = try SignatureDiagnosis(headerValue: Vector.ping.signature, body: Vector.ping.body, secrets: [])
    #expect(!diagnosis.isValid)
    #expect(diagnosis.findings == ["No secret is set, so that nothing can match."])
  }

  @Test(arguments: Vector.all)
  func `It never calls valid what the verifier refuses, whatever the bytes`(vector: Vector) throws {
    let secrets = [try Secret(Vector.secret)]
    let verifier = try SignatureVerifier(secrets: secrets)
    let values = [
      vector.signature, vector.signature + " ", vector.signature.uppercased(), "", "=", "==", "sha256==", ",", ":",
      "x-dynamic-signature", "sha256=\u{e9}", "\u{0}",
    ]
    for value in values {
      for body in [vector.body, vector.body + [10], [], [0xEF, 0xBB, 0xBF], [0x5C], Array(#"\u"#.utf8), [0xFF]] {
        let diagnosis = try SignatureDiagnosis(headerValue: value, body: body, secrets: secrets)
        let isValid = verifier.isValid(Array(value.utf8).span, body: body.span)
        #expect(diagnosis.isValid == isValid)
        #expect(!diagnosis.findings.isEmpty)
      }
    }
  }
}
