import Foundation
import Testing

@testable import revoked

@Suite(.timeLimit(.minutes(1)))
struct TerminalTextTests {
  @Test(arguments: [
    ("plain", "plain", "plain"), ("Grüße, 世界", "Grüße, 世界", "Grüße, 世界"),
    ("a\u{1B}[2Jb", "a\\u{1b}[2Jb", "a\\u001b[2Jb"), ("\r\t\u{7F}", "\\u{d}\\u{9}\\u{7f}", "\\u000d\\u0009\\u007f"),
    ("\u{9B}31m", "\\u{9b}31m", "\\u009b31m"), ("a\u{202E}b", "a\\u{202e}b", "a\\u202eb"),
    ("\u{2028}", "\\u{2028}", "\\u2028"), ("\u{E0041}", "\\u{e0041}", "\\udb40\\udc41"),
    ("a\nb", "a\\u{a}b", "a\nb"),
  ])
  func `what a terminal would obey is shown instead`(text: String, visible: String, json: String) {
    #expect(text.visible() == visible)
    #expect(text.visibleJSON == json)
  }

  @Test func `a body's lines stay lines`() {
    #expect("{\n\u{1B}\r\n}".visible(keepingLines: true) == "{\n\\u{1b}\\u{d}\n}")
  }

  @Test(arguments: ["a\u{1B}\u{7F}\u{202E}\u{E0041}\"\\", "Grüße"])
  func `a line of JSON means what it meant`(text: String) throws {
    let line = JSON.line([text])
    #expect(try JSONDecoder().decode([String].self, from: Data(line.utf8)) == [text])
    #expect(line.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0 != "\u{7F}" && $0 != "\u{202E}" })
  }

  @Test(arguments: [
    ("abc", 5, "abc  "), ("abcde", 5, "abcde"), ("abcdef", 5, "abcd…"), ("世界", 4, "世界"), ("世界世", 5, "世界…"),
    ("世界世", 4, "世… "), ("", 2, "  "),
  ])
  func `a column has its width, whatever stands in it`(text: String, width: Int, column: String) {
    #expect(text.column(width) == column)
  }
}
