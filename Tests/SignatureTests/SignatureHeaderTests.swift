import Testing

@testable import Signature

@Suite("The signature header", .timeLimit(.minutes(2)))
struct SignatureHeaderTests {
  static let hex = "e7ef1daf8d57e3c0506d1f2522d871fd416d9eac7aa679cd4f22867705f12628"

  @Test func `The one right form is read and written back`() throws {
    let digest = try #require(SignatureHeader.parse("sha256=\(Self.hex)"))
    #expect(digest.hex == Self.hex)
    #expect(SignatureHeader.value(for: digest) == "sha256=\(Self.hex)")
  }

  @Test(arguments: [
    "", "sha256=", hex, "sha256=\(hex.uppercased())", "SHA256=\(hex)", "Sha256=\(hex)", "sha-256=\(hex)",
    "sha1=\(hex)",
    "sha256:\(hex)", "sha256 \(hex)", "sha256==\(hex)", " sha256=\(hex)", "sha256=\(hex) ", "sha256= \(hex)",
    "sha256=\(hex)\n", "sha256=\(hex.dropLast())", "sha256=\(hex)0", "sha256=\(hex.dropLast())g",
    "sha256=\(hex.dropLast())G", "sha256=0x\(hex.dropLast(2))", "sha256=\(hex),sha256=\(hex)", "\"sha256=\(hex)\"",
    "sha256=\(hex.dropLast())\0", "sha256=5+8dr41X48BQbR8lIthx/UFtnqx6pnnNTyKGdwXxJig=",
  ])
  func `Every other form is refused`(value: String) {
    #expect(SignatureHeader.parse(value) == nil)
  }

  @Test func `No other byte is accepted in any place of a right value`() {
    let right = Array("sha256=\(Self.hex)".utf8)
    let digits = Array("0123456789abcdef".utf8)
    for position in right.indices {
      for byte in UInt8.min...UInt8.max {
        var value = right
        value[position] = byte
        let isRight = byte == right[position] || position >= 7 && digits.contains(byte)
        #expect((SignatureHeader.parse(value) != nil) == isRight, "byte \(byte) at \(position)")
      }
    }
  }
}
