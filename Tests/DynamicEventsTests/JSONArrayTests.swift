import Testing

@testable import DynamicEvents

@Suite("An array, read element by element", .timeLimit(.minutes(2)))
struct JSONArrayTests {
  /// The strings of the array that the text is; nil where an element is none.
  static func strings(_ text: String) throws(JSONError) -> [String?]? {
    let bytes = Array(text.utf8)
    var reader = JSONReader()
    guard try reader.enterArray(in: bytes.span) else { return nil }
    var strings: [String?] = []
    while try reader.nextElement(in: bytes.span) {
      strings.append(try reader.string(in: bytes.span)?.text(in: bytes.span))
    }
    try reader.finish(bytes.span)
    return strings
  }

  @Test(
    arguments: [
      ("[]", []), (" [ ] ", []), (#"["a"]"#, ["a"]), (#"[ "a" , "b" ]"#, ["a", "b"]),
      (#"[1,"a",null]"#, [nil, "a", nil]),
      (#"[[],["x",["y"]],{"a":["z"]},"b"]"#, [nil, nil, nil, "b"]), (#"["a","a"]"#, ["a", "a"]),
    ] as [(String, [String?])])
  func `gives each in its order`(text: String, expected: [String?]) throws {
    #expect(try Self.strings(text) == expected)
  }

  @Test(arguments: JSONReaderTests.rejected)
  func `is refused where the whole text would be`(text: String, reason: JSONError.Reason) {
    guard text.utf8.first == UInt8(ascii: "[") else { return }
    #expect(throws: JSONError.self) { try Self.strings(text) }
  }

  @Test(arguments: ["{}", "null", #""[]""#, "1"])
  func `leaves what is none where it stands`(text: String) throws {
    #expect(try Self.strings(text) == nil)
  }

  @Test func `can stand within an object, with members behind it`() throws {
    let text = Array(#"{"a":["x"],"b":"y"}"#.utf8)
    var reader = JSONReader()
    #expect(try reader.enterObject(in: text.span))
    #expect(try reader.nextKey(in: text.span)?.text(in: text.span) == "a")
    #expect(try reader.enterArray(in: text.span))
    #expect(try reader.nextElement(in: text.span))
    #expect(try reader.string(in: text.span)?.text(in: text.span) == "x")
    #expect(try !reader.nextElement(in: text.span))
    #expect(try reader.nextKey(in: text.span)?.text(in: text.span) == "b")
    #expect(try reader.string(in: text.span)?.text(in: text.span) == "y")
    #expect(try reader.nextKey(in: text.span) == nil)
    try reader.finish(text.span)
  }
}
