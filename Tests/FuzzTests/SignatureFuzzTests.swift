import Signature
import TestSupport
import Testing

@testable import revoked

@Suite("Fuzzing signatures", .timeLimit(.minutes(5)))
struct SignatureFuzzTests {
  static let mutator = Mutator(
    tokens: ["sha256=", "SHA256=", "sha1=", "=", ",", " ", "\r\n", "0", "aB", "é"].map { Array($0.utf8) })

  @Test func `A damaged header is a digest exactly when it is the one form, and then the digest it spells`() {
    FuzzRun.inputs(50_000) { random in
      let value = Self.value(&random)
      let digits = Array(value.dropFirst(7))
      let isForm =
        value.starts(with: "sha256=".utf8) && digits.count == 64
        && digits.allSatisfy { "0123456789abcdef".utf8.contains($0) }
      let digest = SignatureHeader.parse(value.span)
      return (
        value,
        digest.map { Array($0.hex.utf8) } == (isForm ? digits : nil)
          ? nil : "read as \(String(describing: digest?.hex))"
      )
    }
  }

  @Test func `A damaged header or body is valid to the explanation exactly when it is to the verifier`() throws {
    let secrets = [try Secret(Vector.secret)]
    let verifier = try SignatureVerifier(secrets: secrets)
    try FuzzRun.inputs(200) { random in
      let value = String(decoding: Self.value(&random), as: UTF8.self)
      var body = Vector.ping.body
      if random.oneIn(2) { EventText.mutator.mutate(&body, &random) }
      let diagnosis = try SignatureDiagnosis(headerValue: value, body: body, secrets: secrets)
      let isRight =
        diagnosis.isValid == verifier.isValid(Array(value.utf8).span, body: body.span) && !diagnosis.findings.isEmpty
      return (Array(value.utf8) + body, isRight ? nil : "\(diagnosis)")
    }
  }

  private static func value(_ random: inout SplitMix) -> [UInt8] {
    var value = Array(Vector.ping.signature.utf8)
    if !random.oneIn(8) { mutator.mutate(&value, &random) }
    return value
  }
}
