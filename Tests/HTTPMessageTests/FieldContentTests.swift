import TestSupport
import Testing

@testable import HTTPMessage

@Suite(
  "Field names and values are read by the word and end where a reader by the byte ends them", .timeLimit(.minutes(2)))
struct FieldContentTests {
  enum Part: CaseIterable {
    case name, value

    func end(of bytes: [UInt8], from start: Int) -> Int {
      switch self {
      case .name: bytes.span.endOfToken(from: start)
      case .value: bytes.span.endOfFieldContent(from: start)
      }
    }

    /// RFC 9110 §5.6.2 and §5.5, byte for byte.
    func endByByte(of bytes: [UInt8], from start: Int) -> Int {
      let end =
        switch self {
        case .name: bytes[start...].firstIndex { !ByteClass.token.contains($0) }
        case .value: bytes[start...].firstIndex { $0 != 0x09 && ($0 < 0x20 || $0 == 0x7f) }
        }
      return end ?? bytes.count
    }
  }

  @Test(arguments: Part.allCases)
  func `each byte at each place of a word, from each start`(_ part: Part) {
    WordCases.places { bytes, start in
      if part.end(of: bytes, from: start) != part.endByByte(of: bytes, from: start) {
        Issue.record("\(bytes) from \(start)")
      }
    }
  }

  @Test(arguments: Part.allCases)
  func `any two bytes beside each other: a carry of the first says nothing of the second`(_ part: Part) {
    WordCases.pairs { bytes in
      if part.end(of: bytes, from: 0) != part.endByByte(of: bytes, from: 0) { Issue.record("\(bytes)") }
    }
  }
}
