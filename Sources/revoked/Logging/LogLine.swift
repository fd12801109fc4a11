internal import Logging

/// The bytes of one log event, which is always one line.
struct LogLine {
  var bytes: [UInt8] = []

  /// - Parameter metadata: printed in the order of its keys, so that equal events look equal.
  static func rendered(
    _ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata, _ format: LogFormat,
    at time: LogTimestamp = .now
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
