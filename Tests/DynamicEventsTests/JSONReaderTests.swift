import Testing

@testable import DynamicEvents

@Suite("The JSON reader", .timeLimit(.minutes(2)))
struct JSONReaderTests {
  /// Each rule of RFC 8259, in the manner of the well-known JSON parsing suites.
  static let accepted = [
    "{}", "[]", "null", "true", "false", "0", "-0", "\"\"", " \t\r\n{} \t\r\n", "[ ]", "{ }", "[[]]", "[{}]", "[1,2]",
    "[1 , 2]", #"{"a":1}"#, #"{ "a" : 1 , "b" : [ ] }"#, #"{"a":1,"a":2}"#, #"{"":0}"#, #"{"a":{"b":[{"c":null}]}}"#,
    "-1", "1.0", "1.25e+10", "1E5", "1e-5", "0e0", "0E+1", "-0.0", "123456789012345678901234567890", "1e9999",
    "-1.5E-300", #""\"\\\/\b\f\n\r\t""#, #""\u0000""#, #""\u00e9\u00E9""#, #""\ud83d\ude00""#, #""\uD83D\uDE00""#,
    #""\ufffe\uffff""#, "\"é\"", "\"€\"", "\"😀\"", "\"\u{7f}\"", "\"\u{fffe}\"", "\"\u{10ffff}\"", "\"\u{2028}\"",
    "\"a/b\"", #"{"\u0061":1}"#, "[\"\u{feff}\"]",
    String(repeating: "[", count: 64) + String(repeating: "]", count: 64),
    String(repeating: #"{"a":"#, count: 63) + "{}" + String(repeating: "}", count: 63),
  ]

  static let rejected: [(String, JSONError.Reason)] = [
    ("", .unexpectedEnd), (" ", .unexpectedEnd), ("{", .unexpectedEnd), ("[", .unexpectedEnd), ("[1", .unexpectedEnd),
    ("[1,", .unexpectedEnd), (#"{"a""#, .unexpectedEnd), (#"{"a":"#, .unexpectedEnd), (#"{"a":1"#, .unexpectedEnd),
    (#"{"a":1,"#, .unexpectedEnd), ("tru", .unexpectedEnd), ("n", .unexpectedEnd), ("\"", .unexpectedEnd),
    ("\"a", .unexpectedEnd), (#""\"#, .unexpectedEnd), ("}", .unexpectedByte), ("]", .unexpectedByte),
    (",", .unexpectedByte), ("[,]", .unexpectedByte), ("[1,]", .unexpectedByte), ("[1,,2]", .unexpectedByte),
    ("[1 2]", .unexpectedByte), ("[1}", .unexpectedByte), ("{]", .unexpectedByte), (#"{"a":1]"#, .unexpectedByte),
    (#"{"a":1,}"#, .unexpectedByte), ("{,}", .unexpectedByte), (#"{"a" 1}"#, .unexpectedByte),
    (#"{"a",1}"#, .unexpectedByte), ("{a:1}", .unexpectedByte), ("{1:1}", .unexpectedByte),
    (
      "{'a':1}",
      .unexpectedByte
    ),
    (#"{"a":}"#, .unexpectedByte), (#"{"a":1 "b":2}"#, .unexpectedByte), (#"{"a"::1}"#, .unexpectedByte),
    ("'a'", .unexpectedByte), ("True", .unexpectedByte), ("nul!", .unexpectedByte), ("NaN", .unexpectedByte),
    ("Infinity", .unexpectedByte), ("undefined", .unexpectedByte), ("+1", .unexpectedByte), (".5", .unexpectedByte),
    ("/**/1", .unexpectedByte), ("[1]//x", .trailingBytes), ("\u{a0}1", .unexpectedByte), ("\u{0c}1", .unexpectedByte),
    ("\u{0}", .unexpectedByte), ("[-]", .invalidNumber), ("-", .invalidNumber), ("-a", .invalidNumber),
    ("1.", .invalidNumber), ("[1.]", .invalidNumber), ("1.e5", .invalidNumber), ("1e", .invalidNumber),
    ("1e+", .invalidNumber), ("-.5", .invalidNumber), ("01", .trailingBytes), ("-01", .trailingBytes),
    ("[01]", .unexpectedByte), ("1.2.3", .trailingBytes), ("0x1", .trailingBytes), ("1e5.5", .trailingBytes),
    ("1 2", .trailingBytes), ("{}{}", .trailingBytes), ("[]]", .trailingBytes), ("{}x", .trailingBytes),
    ("nullx", .trailingBytes), ("{}\0", .trailingBytes), ("\"\n\"", .controlCharacter), ("\"\t\"", .controlCharacter),
    ("\"\0\"", .controlCharacter), ("\"\u{1f}\"", .controlCharacter), ("{\"\n\":1}", .controlCharacter),
    (#""\a""#, .invalidEscape), (#""\x41""#, .invalidEscape), (#""\'""#, .invalidEscape),
    (
      #""\U0041""#,
      .invalidEscape
    ),
    (#""\u""#, .invalidEscape), (#""\u12""#, .invalidEscape), (#""\u12g4""#, .invalidEscape),
    (#""\u+123""#, .invalidEscape), (#""\ud83d\ude0""#, .invalidEscape), (#""\ud83d\x""#, .invalidEscape),
    ("\u{feff}{}", .byteOrderMark), (" \u{feff}{}", .unexpectedByte), ("{}\u{feff}", .trailingBytes),
    (String(repeating: "[", count: 100_000), .unexpectedEnd),
    (String(repeating: #"[{"a":"#, count: 100_000), .unexpectedEnd),
    // Which container ends where is known beyond the first 64 as well.
    (String(repeating: "[", count: 65) + "}" + String(repeating: "]", count: 64), .unexpectedByte),
    (String(repeating: "[", count: 65) + "]}" + String(repeating: "]", count: 63), .unexpectedByte),
    (String(repeating: #"{"a":"#, count: 129) + "1]" + String(repeating: "}", count: 128), .unexpectedByte),
    (String(repeating: "[", count: 65) + String(repeating: "]", count: 66), .trailingBytes),
  ]

  /// RFC 3629: what may not stand between two quotes.
  static let notUTF8: [[UInt8]] = [
    [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x41], [0xE0, 0x80, 0x80], [0xE0, 0x9F, 0xBF],
    [0xE2, 0x82],
    [0xE2, 0x41, 0x82], [0xE2, 0x82, 0x41], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF0, 0x80, 0x80, 0x80],
    [0xF0, 0x8F, 0xBF, 0xBF], [0xF0, 0x9F, 0x98], [0xF0, 0x9F, 0x98, 0x41], [0xF4, 0x90, 0x80, 0x80],
    [0xF5, 0x80, 0x80, 0x80], [0xFE], [0xFF],
  ]

  @Test(arguments: accepted)
  func `What RFC 8259 allows is passed to the end`(text: String) {
    #expect(throws: Never.self) { try JSONReader.validate(Array(text.utf8)) }
  }

  @Test(arguments: rejected)
  func `What RFC 8259 does not allow is refused with its reason`(text: String, reason: JSONError.Reason) {
    let error = #expect(throws: JSONError.self) { try JSONReader.validate(Array(text.utf8)) }
    #expect(error?.reason == reason)
    #expect(error.map { (0...text.utf8.count).contains($0.offset) } == true)
  }

  @Test(arguments: notUTF8)
  func `A string that is not UTF-8 is refused`(bytes: [UInt8]) {
    for text in [[0x22] + bytes + [0x22], [0x22] + bytes] {
      let error = #expect(throws: JSONError.self) { try JSONReader.validate(text) }
      #expect(error?.reason == .invalidUTF8)
      #expect(error?.offset == 1)
    }
  }

  @Test(arguments: accepted)
  func `Every accepted text, cut anywhere, is no text any more, and never traps`(text: String) {
    guard let first = text.utf8.first, first == UInt8(ascii: "{") || first == UInt8(ascii: "[") else { return }
    for end in 0..<text.utf8.count {
      #expect(throws: JSONError.self) { try JSONReader.validate(Array(text.utf8.prefix(end))) }
    }
  }

  @Test func `The offset is that of the byte that may not stand there`() {
    let error = #expect(throws: JSONError.self) { try JSONReader.validate(Array(#"{"a": 1, "b": x}"#.utf8)) }
    #expect(error == JSONError(offset: 14, reason: .unexpectedByte))
    #expect(error?.description == "at byte 14: a byte that may not stand here")
  }

  @Test(arguments: [
    (#""plain é""#, "plain é"), (#""""#, ""), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
    (#""\u0041\u00e9\u20AC""#, "Aé€"), (#""a\ud83d\ude00b""#, "a😀b"), (#""\\u0041""#, "\\u0041"),
    (
      #""\u0000""#,
      "\0"
    ),
    (#""e\u0301""#, "e\u{301}"),
    // Halves of a surrogate pair.
    (#""\ud800""#, "\u{fffd}"), (#""\ud800x""#, "\u{fffd}x"), (#""\ud800\n""#, "\u{fffd}\n"),
    (#""\udc00""#, "\u{fffd}"),
    (#""\udc00\ud800""#, "\u{fffd}\u{fffd}"), (#""\ud800\ud83d\ude00""#, "\u{fffd}😀"),
    (#""\ud800\u0041""#, "\u{fffd}A"), (#""\ud83d\\u0041""#, "\u{fffd}\\u0041"),
  ])
  func `A string's value has its escapes replaced`(text: String, value: String) throws {
    let bytes = Array(text.utf8)
    var reader = JSONReader()
    let string = try #require(try reader.string(in: bytes.span))
    let read = string.text(in: bytes.span)
    #expect(Array(read.utf8) == Array(value.utf8))
    #expect(string.hasEscapes == text.contains("\\"))
    #expect(reader.position == bytes.count)
  }
}
