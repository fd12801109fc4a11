internal import Bytes
internal import DynamicEvents
internal import Foundation
internal import Logging

/// The bytes of one log event, which is always one line.
struct LogLine {
  var bytes: [UInt8] = []

  /// - Parameter metadata: printed in the order of its keys, so that equal events look equal.
  static func rendered(
    _ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata, _ format: LogFormat,
    at time: Timestamp = Timestamp(Date.now)
  ) -> [UInt8] {
    var line = LogLine()
    line.bytes.reserveCapacity(256)
    let sorted = metadata.sorted { $0.key < $1.key }
    switch format {
    case .json: line.appendJSON(level, message, sorted, at: time)
    case .text: line.appendText(level, message, sorted, at: time)
    }
    line.bytes.append(UInt8(ascii: "\n"))
    return line.bytes
  }

  /// The line that says how many lines are missing at this place.
  static func dropped(_ count: Int, _ format: LogFormat) -> [UInt8] {
    rendered(
      .warning, "dropped \(count) log lines: they came faster than they could be written",
      ["dropped": .stringConvertible(count)],
      format)
  }

  mutating func append(_ text: String) {
    bytes.append(contentsOf: text.utf8)
  }
}

/// How a log line is written.
enum LogFormat: String, Sendable {
  /// For people: `2026-11-23T15:04:05.123Z info  message key=value`.
  case text
  /// For machines: one JSON object a line.
  case json
}

extension LogLine {
  mutating func appendJSON(
    _ level: Logger.Level, _ message: String, _ metadata: [(key: String, value: Logger.MetadataValue)],
    at time: Timestamp
  ) {
    append(#"{"time":""#)
    time.append(to: &bytes)
    append(#"","level":""#)
    append(level.rawValue)
    append(#"","message":"#)
    appendJSON(message)
    for (key, value) in metadata {
      append(",")
      // RFC 8259 §4: names should be unique; readers differ in which of two they keep.
      appendJSON(key == "time" || key == "level" || key == "message" ? key + "_" : key)
      append(":")
      appendJSON(value)
    }
    append("}")
  }

  private mutating func appendJSON(_ value: Logger.MetadataValue) {
    switch value {
    case .string(let text): appendJSON(text)
    // Numbers stay numbers, so that a log store can compare them.
    case .stringConvertible(let number as Int): append(String(number))
    case .stringConvertible(let number as Int64): append(String(number))
    case .stringConvertible(let number as Double) where number.isFinite: append(String(number))
    case .stringConvertible(let truth as Bool): append(String(truth))
    case .stringConvertible(let number as any FixedWidthInteger): append(number.description)
    case .stringConvertible(let other): appendJSON(other.description)
    case .array(let values):
      append("[")
      for (at, value) in values.enumerated() {
        if at > 0 { append(",") }
        appendJSON(value)
      }
      append("]")
    case .dictionary(let values):
      append("{")
      for (at, (key, value)) in values.sorted(by: { $0.key < $1.key }).enumerated() {
        if at > 0 { append(",") }
        appendJSON(key)
        append(":")
        appendJSON(value)
      }
      append("}")
    }
  }

  private mutating func appendJSON(_ text: String) {
    // More than must be: it may reorder a line on a terminal, or break it (U+2028). The value stays the same.
    JSONText.append(text, to: &bytes) { $0.isUnsafeOnTerminal }
  }
}

extension LogLine {
  mutating func appendText(
    _ level: Logger.Level, _ message: String, _ metadata: [(key: String, value: Logger.MetadataValue)],
    at time: Timestamp
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
