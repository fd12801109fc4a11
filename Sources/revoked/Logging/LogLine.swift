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

  /// Tells of lines that are missing at this place.
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
