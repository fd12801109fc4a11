import DynamicEvents
import Foundation
import Logging
import Testing

@testable import revoked

@Suite(.timeLimit(.minutes(1)))
struct LogLineTests {
  private static let time = Timestamp(milliseconds: 1_795_446_245_123)

  private func line(
    _ message: String, _ metadata: Logger.Metadata = [:], _ format: LogFormat, level: Logger.Level = .info
  ) -> String {
    String(decoding: LogLine.rendered(level, message, metadata, format, at: Self.time), as: UTF8.self)
  }

  @Test func `JSON is one object a line, its metadata flat and sorted`() {
    #expect(
      line("accepted", ["event": "ping", "count": .stringConvertible(3), "ok": .stringConvertible(true)], .json)
        == #"{"time":"2026-11-23T15:04:05.123Z","level":"info","message":"accepted","count":3,"event":"ping","#
        + #""ok":true}"#
        + "\n")
  }

  @Test func `JSON has no character that a terminal might act on, and numbers of every size`() {
    let text = "a\u{202e}b\u{2028}\u{9b}\u{7f}\u{feff}\u{e0041}é"
    let written = #""a\u202eb\u2028\u009b\u007f\ufeff\udb40\udc41é""#
    #expect(
      line(text, [text: .string(text), "n": .stringConvertible(Int64.max), "u": .stringConvertible(UInt8(7))], .json)
        .hasSuffix(#""message":\#(written),\#(written):\#(written),"n":9223372036854775807,"u":7}"# + "\n"))
    #expect(line("a\u{7f}", [:], .json).hasSuffix(#""message":"a\u007f"}"# + "\n"))
  }

  @Test func `No name occurs twice`() {
    #expect(
      line("m", ["level": "9", "time": "now", "message": "x"], .json).hasSuffix(
        #""level":"info","message":"m","level_":"9","message_":"x","time_":"now"}"# + "\n"))
  }

  @Test(arguments: [
    "", "plain", "quote \" backslash \\ slash /", "line\nfeed\r\ttab", "\u{0}\u{1}\u{8}\u{c}\u{1b}\u{1f}\u{7f}",
    "ü € 🙂 \u{2028}", "{\"a\":1}", "e\u{301}",
  ])
  func `Whatever the text, JSON gives it back`(text: String) throws {
    let line = line(
      text,
      ["k\(text)": .string(text), "list": [.string(text), ["n": .string(text)]], "x": .stringConvertible(Double.nan)],
      .json)
    #expect(line.utf8.count { $0 < 0x20 } == 1)
    let object = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    #expect(object["message"] as? String == text)
    #expect(object["k\(text)"] as? String == text)
    let list = try #require(object["list"] as? [Any])
    #expect(list.first as? String == text)
    #expect(list.last as? [String: String] == ["n": text])
    #expect(object["x"] as? String == "nan")
  }

  @Test(arguments: [
    ("a", "a"), ("", #""""#), ("a b", #""a b""#), ("a=b", #""a=b""#), (#"a"b"#, #""a\"b""#), (#"a\b"#, #""a\\b""#),
    ("a\nb", #""a\nb""#), ("ü", "ü"), ("\u{1b}[31m", #""\u{1b}[31m""#), ("\u{9b}x", #"\u{9b}x"#),
    ("a\u{202e}b", #"a\u{202e}b"#),
    ("a\u{2028}b", #"a\u{2028}b"#),
  ])
  func `Text quotes what would not be told apart`(value: String, written: String) {
    #expect(line("m", ["k": .string(value)], .text) == "2026-11-23T15:04:05.123Z info  m k=\(written)\n")
  }

  @Test func `Text is one line a event, its levels in a column`() {
    #expect(line("a\nb \u{1b}c", [:], .text, level: .error) == "2026-11-23T15:04:05.123Z error a\\nb \\u{1b}c\n")
    #expect(line("m", ["b": "2", "a": "1"], .text, level: .warning) == "2026-11-23T15:04:05.123Z warning m a=1 b=2\n")
  }
}
