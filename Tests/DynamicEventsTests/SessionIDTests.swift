import Foundation
import Testing

@testable import DynamicEvents

@Suite("Session ids", .timeLimit(.minutes(2)))
struct SessionIDTests {
  static let text = "3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10"

  @Test(arguments: [text, "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"])
  func `The lower-case form is read and written back, whatever its version bits`(text: String) throws {
    let id = try #require(SessionID(text))
    #expect("\(id)" == text)
    #expect(id.bytes.count == 16)
    #expect(SessionID(bytes: id.bytes) == id)
    #expect(SessionID(Array(text.utf8)) == id)
  }

  @Test func `The bytes are those of the text, in its order`() {
    #expect(
      SessionID("00112233-4455-6677-8899-aabbccddeeff")?.bytes
        == (0...15).map { UInt8($0 * 0x11) })
  }

  @Test(arguments: [
    "", "{\(text)}", " \(text)", "\(text)\n", "\(text)0",
    String(text.dropLast()), text.replacingOccurrences(of: "-", with: ""), "3f0c6f6e1-c3a-4f0b-9a52-6d1f8e2b7c10",
    "3f0c6f6e_1c3a_4f0b_9a52_6d1f8e2b7c10", "3f0c6f6g-1c3a-4f0b-9a52-6d1f8e2b7c10", "urn:uuid:\(text)",
    "3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c1\0", "3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7cé",
  ])
  func `Every other form is refused`(text: String) {
    #expect(SessionID(text) == nil)
  }

  @Test(arguments: [text.uppercased(), "3F0c6f6e-1c3a-4F0b-9a52-6d1f8E2b7c10"])
  func `Upper case is the same id, and is written in lower case`(text: String) throws {
    let id = try #require(SessionID(text))
    #expect(id == SessionID(Self.text))
    #expect("\(id)" == Self.text)
  }

  @Test func `No other byte is accepted in any place`() {
    let right = Array(Self.text.utf8)
    let digits = Array("0123456789abcdefABCDEF".utf8)
    for position in right.indices {
      let isHyphen = right[position] == UInt8(ascii: "-")
      for byte in UInt8.min...UInt8.max {
        var text = right
        text[position] = byte
        let isRight = isHyphen ? byte == right[position] : digits.contains(byte)
        #expect((SessionID(text) != nil) == isRight, "byte \(byte) at \(position)")
      }
    }
  }

  @Test func `Two ids that differ in one digit are two`() throws {
    let digits = Array(Self.text)
    var seen: Set = [try #require(SessionID(Self.text))]
    for index in digits.indices where digits[index] != "-" {
      var other = digits
      other[index] = digits[index] == "5" ? "4" : "5"
      #expect(seen.insert(try #require(SessionID(String(other)))).inserted)
    }
  }

  @Test func `In JSON it is its text, and other text is an error`() throws {
    let id = try #require(SessionID(Self.text))
    let json = try JSONEncoder().encode([id])
    #expect(String(decoding: json, as: UTF8.self) == "[\"\(Self.text)\"]")
    #expect(try JSONDecoder().decode([SessionID].self, from: json) == [id])
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode([SessionID].self, from: Data("[\"\(Self.text)0\"]".utf8))
    }
  }

  @Test(arguments: [0, 15, 17])
  func `Only 16 bytes make one`(count: Int) {
    #expect(SessionID(bytes: [UInt8](repeating: 0, count: count)) == nil)
    #expect(EventKey(bytes: [UInt8](repeating: 0, count: count)) == nil)
  }
}
