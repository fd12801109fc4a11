import Testing

@testable import Signature

@Suite("HMAC-SHA256", .timeLimit(.minutes(2)))
struct HMACSHA256Tests {
  /// RFC 4231 §4: key, message, HMAC-SHA-256. Case 5 is truncated there and left out.
  static let vectors: [(key: [UInt8], message: [UInt8], code: String)] = [
    (
      Array(repeating: 0x0b, count: 20), Array("Hi There".utf8),
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    ),
    (
      Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    ),
    (
      Array(repeating: 0xaa, count: 20), Array(repeating: 0xdd, count: 50),
      "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
    ),
    (
      Array(1...25), Array(repeating: 0xcd, count: 50),
      "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
    ),
    (
      Array(repeating: 0xaa, count: 131), Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    ),
    (
      Array(repeating: 0xaa, count: 131),
      Array(
        ("This is a test using a larger than block-size key and a larger than block-size data. "
          + "The key needs to be hashed before being used by the HMAC algorithm.").utf8),
      "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
    ),
  ]

  @Test(arguments: vectors)
  func `RFC 4231's codes come out`(key: [UInt8], message: [UInt8], code: String) throws {
    #expect(try HMACSHA256.hex(key: key, message: message) == code)
  }

  @Test func `A context that was used gives the same code again, whatever came between`() throws {
    let vector = try #require(Self.vectors.first)
    let context = try HMACSHA256(key: vector.key.span)
    for between in [[], [UInt8](repeating: 1, count: 64), [UInt8](repeating: 2, count: 100_000)] {
      _ = try context.hex(for: between)
      #expect(try context.hex(for: vector.message) == vector.code)
    }
  }

  @Test func `An empty key is refused, never taken for a missing one`() {
    #expect(throws: OpenSSLFailure.self) { try HMACSHA256.hex(key: [], message: []) }
  }

  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
  ])
  func `SHA-256 of FIPS 180-4's messages`(message: String, digest: String) throws {
    let computed = try SHA256.digest(of: Array(message.utf8).span)
    #expect(computed.hex == digest)
  }
}
