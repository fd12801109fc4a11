import TestSupport
import Testing

@testable import Signature

@Suite("Verifying signatures", .timeLimit(.minutes(2)))
struct SignatureVerifierTests {
  static let other = "dyn_another-secret-of-a-second-webhook"

  @Test(arguments: Vector.all)
  func `Dynamic's vectors are valid, wherever their secret stands in the list`(vector: Vector) throws {
    for secrets in [[Vector.secret], [Self.other, Vector.secret], [Vector.secret, Self.other]] {
      let verifier = try SignatureVerifier(secrets: secrets.map { try Secret($0) })
      #expect(verifier.isValid(vector.signature, body: vector.body))
    }
  }

  @Test(arguments: Vector.all)
  func `The value we write is the value that Dynamic sends`(vector: Vector) throws {
    let digest = try HMACSHA256(key: try Secret(Vector.secret)).code(for: vector.body.span)
    #expect(SignatureHeader.value(for: digest) == vector.signature)
  }

  @Test func `Any changed bit of the body or of the digest makes it invalid`() throws {
    let verifier = try SignatureVerifier(secrets: [try Secret(Vector.secret)])
    let vector = Vector.sessionRevoked
    let value = Array(vector.signature.utf8)
    for position in vector.body.indices {
      var body = vector.body
      body[position] ^= 1
      #expect(!verifier.isValid(String(decoding: value, as: UTF8.self), body: body))
    }
    for position in 7..<value.count {
      var value = value
      value[position] = value[position] == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0")
      #expect(!verifier.isValid(String(decoding: value, as: UTF8.self), body: vector.body))
    }
  }

  @Test func `Without the right secret, and without any, nothing is valid`() throws {
    let vector = Vector.ping
    for secrets in [[], [try Secret(Self.other)]] {
      let verifier = try SignatureVerifier(secrets: secrets)
      #expect(!verifier.isValid(vector.signature, body: vector.body))
    }
  }

  @Test func `Another delivery's signature does not fit`() throws {
    let verifier = try SignatureVerifier(secrets: [try Secret(Vector.secret)])
    #expect(!verifier.isValid(Vector.ping.signature, body: Vector.sessionRevoked.body))
  }
}
