internal import Foundation
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

/// How a log line is written.
enum LogFormat: String, Sendable {
  /// For people: `2026-11-23T15:04:05.123Z info  message key=value`.
  case text
  /// For machines: one JSON object a line.
  case json
}

/// RFC 3339 in UTC with milliseconds, by hand: `ISO8601DateFormatter` takes 45 µs a date, a whole line takes one.
struct LogTimestamp {
  /// Since 1970, held within the years that have four digits, so no calculation below overflows.
  private let milliseconds: Int

  init(milliseconds: Int) {
    self.milliseconds = min(max(milliseconds, 0), 253_402_300_799_999)
  }

  static var now: Self {
    Self(milliseconds: Int(exactly: (Date.now.timeIntervalSince1970 * 1_000).rounded(.down)) ?? 0)
  }

  /// Appends 24 bytes: `2026-11-23T15:04:05.123Z`.
  func append(to bytes: inout [UInt8]) {
    let (day, millisecond) = milliseconds.quotientAndRemainder(dividingBy: 86_400_000)
    let date = Self.date(ofDay: day)
    let second = millisecond / 1_000
    Self.append(date.year, digits: 4, then: "-", to: &bytes)
    Self.append(date.month, digits: 2, then: "-", to: &bytes)
    Self.append(date.day, digits: 2, then: "T", to: &bytes)
    Self.append(second / 3_600, digits: 2, then: ":", to: &bytes)
    Self.append(second / 60 % 60, digits: 2, then: ":", to: &bytes)
    Self.append(second % 60, digits: 2, then: ".", to: &bytes)
    Self.append(millisecond % 1_000, digits: 3, then: "Z", to: &bytes)
  }

  private static func append(_ number: Int, digits: Int, then end: Unicode.Scalar, to bytes: inout [UInt8]) {
    var unit = digits == 4 ? 1_000 : digits == 3 ? 100 : 10
    while unit > 0 {
      bytes.append(UInt8(ascii: "0") + UInt8(number / unit % 10))
      unit /= 10
    }
    bytes.append(UInt8(ascii: end))
  }

  /// The Gregorian date of a day since 1970-01-01, after Howard Hinnant's `civil_from_days`: years begin in March, so
  /// that the leap day is the last, and repeat every 146,097 days.
  private static func date(ofDay day: Int) -> (year: Int, month: Int, day: Int) {
    let (era, dayOfEra) = (day + 719_468).quotientAndRemainder(dividingBy: 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
  }
}
