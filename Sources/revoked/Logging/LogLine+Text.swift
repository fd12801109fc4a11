internal import Logging

extension LogLine {
  mutating func appendText(
    _ level: Logger.Level, _ message: String, _ metadata: [(key: String, value: Logger.MetadataValue)],
    at time: LogTimestamp
  ) {
    time.append(to: &bytes)
    append(" ")
    append(level.rawValue)
    // The levels of every day in one column.
    for _ in level.rawValue.utf8.count..<max(5, level.rawValue.utf8.count) { append(" ") }
    append(" ")
    appendText(message)
    for (key, value) in metadata {
      append(" ")
      appendQuotedIfNeeded(key)
      append("=")
      appendQuotedIfNeeded(value.description)
    }
  }

  private mutating func appendQuotedIfNeeded(_ text: String) {
    let plain = { (byte: UInt8) in byte > 0x20 && byte != 0x7F && !#""=\"#.utf8.contains(byte) }
    if !text.isEmpty, text.utf8.allSatisfy(plain) {
      appendText(text)
    } else {
      append("\"")
      appendText(text, quoted: true)
      append("\"")
    }
  }

  /// One event is one line, and what a peer sent must not steer the terminal.
  private mutating func appendText(_ text: String, quoted: Bool = false) {
    // Nearly every text: copied as a block.
    if !quoted, text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) { return append(text) }
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\n": append(#"\n"#)
      case "\r": append(#"\r"#)
      case "\t": append(#"\t"#)
      case "\"" where quoted: append(#"\""#)
      case "\\" where quoted: append(#"\\"#)
      case _ where scalar.isUnsafeOnTerminal:
        append(#"\u{\#(String(scalar.value, radix: 16))}"#)
      default: bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
      }
    }
  }
}
