import Bytes
import TestSupport
import Testing

@Suite("Bytes compared and searched", .timeLimit(.minutes(1)))
struct ComparingTests {
  @Test(arguments: [
    ("", true), ("limit", false), ("limit=", true), ("limit=1", false), ("Limit=", false), ("limit:", false),
  ])
  func `Equal is byte for byte`(text: String, isEqual: Bool) {
    let wanted: StaticString = isEqual && text.isEmpty ? "" : "limit="
    let found = Array(text.utf8).span.equals(wanted)
    #expect(found == isEqual)
    let same = Array(text.utf8).span.isEqual(to: "\(wanted)".utf8.span)
    #expect(same == isEqual)
  }

  @Test func `Texts that are equal as Unicode and not in their bytes are two`() {
    let (composed, decomposed) = ("caf\u{e9}", "cafe\u{301}")
    #expect(composed == decomposed)
    let isEqual = composed.utf8.span.isEqual(to: decomposed.utf8.span)
    #expect(!isEqual)
  }

  @Test func `A byte is found at each place of a word, from each start`() {
    WordCases.places { bytes, start in
      for byte in Set(bytes) {
        let expected = bytes[start...].firstIndex(of: byte) ?? bytes.count
        if bytes.span.firstIndex(of: byte, from: start) != expected {
          Issue.record("\(byte) in \(bytes) from \(start)")
        }
      }
    }
  }

  @Test(arguments: [
    ("", false), ("0", true), ("0123456789", true), ("+1", false), ("1 ", false), ("1٣", false), ("a", false),
  ])
  func `Digits are ASCII digits, one at least`(text: String, areDigits: Bool) {
    #expect(text.utf8.areDigits == areDigits)
  }
}
