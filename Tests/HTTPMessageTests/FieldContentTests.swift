import Testing

@testable import HTTPMessage

@Suite("A field value is read by the word and ends where a reader by the byte ends it")
struct FieldContentTests {
  /// RFC 9110 §5.5, byte for byte.
  func end(of bytes: [UInt8], from start: Int) -> Int {
    bytes[start...].firstIndex { $0 != 0x09 && ($0 < 0x20 || $0 == 0x7f) } ?? bytes.count
  }

  @Test("each byte at each place of a word, from each start")
  func places() {
    for byte in UInt8.min...UInt8.max {
      for place in 0..<19 {
        var bytes = [UInt8](repeating: 0x61, count: 19)
        bytes[place] = byte
        for start in 0...19 {
          if bytes.span.endOfFieldContent(from: start) != end(of: bytes, from: start) {
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
        if bytes.span.endOfFieldContent(from: 0) != end(of: bytes, from: 0) { Issue.record("\(first), \(second)") }
      }
    }
  }
}
