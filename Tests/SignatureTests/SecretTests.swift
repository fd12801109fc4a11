import TestSupport
import Testing

@testable import Signature

@Suite("Secrets", .timeLimit(.minutes(2)))
struct SecretTests {
  @Test func `A secret shows itself in no text that Swift makes of it`() throws {
    struct Holder { let token: Secret }
    let secret = try Secret(Vector.secret)
    var texts = ["\(secret)", String(reflecting: secret), "\(Holder(token: secret))", "\(Optional(secret) as Any)"]
    var dumped = ""
    dump(secret, to: &dumped)
    dump(Holder(token: secret), to: &dumped)
    texts.append(dumped)
    for text in texts {
      #expect(text.contains("<redacted>"))
      #expect(!text.contains("dyn_") && !text.contains("storage") && !text.contains("0x"))
    }
    #expect(Mirror(reflecting: secret).children.isEmpty)
  }

  @Test(arguments: [
    ("", 16, SecretError.empty), ("", 0, .empty), ("fifteen-bytes-x", 16, .tooShort(bytes: 15, minimum: 16)),
    ("é", 3, .tooShort(bytes: 2, minimum: 3)),
  ])
  func `An empty or short text is no secret`(text: String, minimum: Int, error: SecretError) {
    #expect(throws: error) { try Secret(text, minimumBytes: minimum) }
  }

  @Test(arguments: ["sixteen-bytes-xx", " \u{e9}[{$'\n0123456789"])
  func `Sixteen bytes are enough, and every one is kept`(text: String) throws {
    let bytes = try Secret(text).withBytes { bytes in bytes.indices.map { bytes[$0] } }
    #expect(bytes == Array(text.utf8))
  }

  @Test(arguments: [
    ("token-0123456789", true), ("token-0123456788", false), ("Token-0123456789", false), ("token-012345678", false),
    ("token-01234567890", false), ("", false),
  ])
  func `A candidate matches only when every byte does`(candidate: String, isEqual: Bool) throws {
    let matches = try Secret("token-0123456789").matches(Array(candidate.utf8).span)
    #expect(matches == isEqual)
  }
}
