import Bytes
import TestSupport
import Testing

@Suite("A string is read by the word and stops where a reader by the byte stops", .timeLimit(.minutes(1)))
struct PlainTextTests {
  /// RFC 8259 §7: what stands for itself, byte for byte.
  func end(of bytes: [UInt8], from start: Int) -> Int {
    bytes[start...].firstIndex { $0 < 0x20 || $0 >= 0x80 || $0 == 0x22 || $0 == 0x5c } ?? bytes.count
  }

  @Test func `each byte at each place of a word, from each start`() {
    WordCases.places { bytes, start in
      if bytes.span.endOfPlainText(from: start) != end(of: bytes, from: start) {
        Issue.record("\(bytes) from \(start)")
      }
    }
  }

  @Test func `any two bytes beside each other: a carry of the first says nothing of the second`() {
    WordCases.pairs { bytes in
      if bytes.span.endOfPlainText(from: 0) != end(of: bytes, from: 0) { Issue.record("\(bytes)") }
    }
  }
}
