import Testing

@testable import DynamicEvents

@Suite("A string is read by the word and stops where a reader by the byte stops")
struct PlainTextTests {
  /// RFC 8259 §7: what stands for itself, byte for byte.
  func end(of bytes: [UInt8], from start: Int) -> Int {
    bytes[start...].firstIndex { $0 < 0x20 || $0 >= 0x80 || $0 == 0x22 || $0 == 0x5c } ?? bytes.count
  }

  @Test("each byte at each place of a word, from each start")
  func places() {
    for byte in UInt8.min...UInt8.max {
      for place in 0..<19 {
        var bytes = [UInt8](repeating: 0x61, count: 19)
        bytes[place] = byte
        for start in 0...19 {
          if bytes.span.endOfPlainText(from: start) != end(of: bytes, from: start) {
            Issue.record("\(byte) at \(place)")
          }
        }
      }
    }
  }

  @Test("any two bytes beside each other: a carry of the first says nothing of the second")
  func pairs() {
    for first in UInt8.min...UInt8.max {
      for second in UInt8.min...UInt8.max {
        let bytes: [UInt8] = [0x61, 0x61, first, second, 0x61, 0x61, 0x61, 0x61]
        if bytes.span.endOfPlainText(from: 0) != end(of: bytes, from: 0) { Issue.record("\(first), \(second)") }
      }
    }
  }
}
