import Bytes
import Foundation
import Testing

@Suite("Strings as JSON writes them", .timeLimit(.minutes(1)))
struct JSONTextTests {
  @Test(
    arguments: [
      "", "0c9b7c1e-6f3e-4a51-9d3e-1f0a7b2c4d5e", "\"", "\\", "a\"b\\c/d", "\u{0}\u{1F}\n\t", "\u{7F}", "é🙂\u{2028}",
      "é\"🙂",
    ])
  func `any text is written so that a reader gets it back`(text: String) throws {
    var json: [UInt8] = []
    JSONText.append(text, to: &json)
    #expect(json.allSatisfy { $0 >= 0x20 })
    let read = try JSONSerialization.jsonObject(with: Data(json), options: .fragmentsAllowed)
    #expect((read as? String)?.unicodeScalars.elementsEqual(text.unicodeScalars) == true)
  }

  @Test(arguments: [([0x61, 0xFF], "a\u{FFFD}"), ([0xE2, 0x82], "\u{FFFD}"), ([0x22, 0xC0, 0x0A], "\"\u{FFFD}\n")])
  func `bytes that are no text do not spoil it`(bytes: [UInt8], text: String) throws {
    var json: [UInt8] = []
    JSONText.append(bytes.span, to: &json)
    #expect(try JSONSerialization.jsonObject(with: Data(json), options: .fragmentsAllowed) as? String == text)
  }
}
