internal import Bytes

#if canImport(FoundationEssentials)
  public import FoundationEssentials
#else
  public import Foundation
#endif

/// A point in time in whole milliseconds, within the years 0000 to 9999 that RFC 3339 can write.
public struct Timestamp: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// Since 1970-01-01T00:00:00Z, leap seconds not counted.
  public let milliseconds: Int64

  /// 0000-01-01T00:00:00.000Z to 9999-12-31T23:59:59.999Z.
  static let range: ClosedRange<Int64> = -62_167_219_200_000...253_402_300_799_999

  /// A time outside the years 0000 to 9999 becomes the nearest inside.
  public init(milliseconds: Int64) {
    self.milliseconds = min(max(milliseconds, Timestamp.range.lowerBound), Timestamp.range.upperBound)
  }

  /// The nearest millisecond; outside the years 0000 to 9999 the nearest inside.
  public init(_ date: Date) {
    let rounded = (date.timeIntervalSince1970 * 1000).rounded()
    if rounded >= Double(Timestamp.range.upperBound) {
      self.init(milliseconds: Timestamp.range.upperBound)
    } else {
      // Not a number or out of reach: the comparison above has taken what is too large.
      self.init(milliseconds: Int64(exactly: rounded) ?? Timestamp.range.lowerBound)
    }
  }

  public var date: Date { Date(timeIntervalSince1970: Double(milliseconds) / 1000) }

  public static func < (left: Timestamp, right: Timestamp) -> Bool { left.milliseconds < right.milliseconds }

  /// RFC 3339 in UTC with three fraction digits: `2026-10-01T09:00:00.348Z`.
  public var description: String {
    var text: [UInt8] = []
    text.reserveCapacity(24)
    append(to: &text)
    return String(decoding: text, as: UTF8.self)
  }

  /// Appends what `description` is, in ASCII.
  package func append(to text: inout [UInt8]) {
    text.append(addingCapacity: 24) { append(to: &$0) }
  }

  /// Takes 24 bytes of room.
  package func append(to text: inout OutputSpan<UInt8>) {
    let (days, time) = milliseconds.quotientFlooring(by: 86_400_000)
    let (year, month, day) = GregorianCalendar.date(ofDay: days)
    text.append(digit: year / 1000)
    text.append(digit: year / 100)
    text.append(year % 100, then: "-")
    text.append(month, then: "-")
    text.append(day, then: "T")
    text.append(time / 3_600_000, then: ":")
    text.append(time / 60_000 % 60, then: ":")
    text.append(time / 1000 % 60, then: ".")
    text.append(digit: time % 1000 / 100)
    text.append(time % 100, then: "Z")
  }
}

extension OutputSpan<UInt8> {
  fileprivate mutating func append(digit: Int64) {
    append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit % 10))
  }

  fileprivate mutating func append(_ number: Int64, then separator: Unicode.Scalar) {
    append(digit: number / 10)
    append(digit: number)
    append(UInt8(ascii: separator))
  }
}

extension Timestamp {
  /// RFC 3339 §5.6, `YYYY-MM-DDTHH:MM:SS`, up to nine fraction digits (cut to milliseconds), `Z` or `±HH:MM`.
  ///
  /// Wider in that `±HHMM` is taken (ISO 8601), narrower in that a space is no `T`. Second 60 is the next minute's
  /// first, wherever it stands: no list of leap seconds here.
  public init?(_ text: Span<UInt8>) {
    // The shortest is without a fraction and with `Z`; the longest has nine digits and `±HH:MM`.
    guard (20...35).contains(text.count) else { return nil }
    guard
      text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"), text[10] | 0x20 == UInt8(ascii: "t"),
      text[13] == UInt8(ascii: ":"), text[16] == UInt8(ascii: ":"),
      let year = number(in: text, at: 0, digits: 4), let month = number(in: text, at: 5, digits: 2),
      let dayOfMonth = number(in: text, at: 8, digits: 2), let hour = number(in: text, at: 11, digits: 2),
      let minute = number(in: text, at: 14, digits: 2), let second = number(in: text, at: 17, digits: 2),
      hour <= 23, minute <= 59, second <= 60,
      let day = GregorianCalendar.day(year: year, month: month, day: dayOfMonth)
    else { return nil }

    var position = 19
    guard let fraction = fraction(in: text, at: &position), let offset = offset(in: text, at: position) else {
      return nil
    }
    let seconds = day * 86_400 + hour * 3600 + minute * 60 + second - offset
    let milliseconds = seconds * 1000 + fraction
    // An offset may carry the first and the last day of the range over its edge.
    guard Timestamp.range.contains(milliseconds) else { return nil }
    self.init(milliseconds: milliseconds)
  }

  public init?(_ text: String) {
    self.init(text.utf8.span)
  }
}

private func number(in text: Span<UInt8>, at start: Int, digits: Int) -> Int64? {
  guard start + digits <= text.count else { return nil }
  var value: Int64 = 0
  for position in start..<start + digits {
    let byte = text[position]
    guard byte.isDigit else { return nil }
    value = value * 10 + Int64(byte - UInt8(ascii: "0"))
  }
  return value
}

/// Milliseconds of a fraction that begins at `position`, which moves behind it; 0 when there is none.
private func fraction(in text: Span<UInt8>, at position: inout Int) -> Int64? {
  guard text[position] == UInt8(ascii: ".") else { return 0 }
  position += 1
  let start = position
  var milliseconds: Int64 = 0
  while position < text.count, let digit = number(in: text, at: position, digits: 1) {
    if position - start < 3 { milliseconds = milliseconds * 10 + digit }
    position += 1
  }
  switch position - start {
  case 1: return milliseconds * 100
  case 2: return milliseconds * 10
  case 3...9: return milliseconds
  default: return nil
  }
}

/// Seconds east of UTC of the offset that ends the text.
private func offset(in text: Span<UInt8>, at position: Int) -> Int64? {
  guard position < text.count else { return nil }
  let sign: Int64
  switch text[position] {
  case UInt8(ascii: "Z"), UInt8(ascii: "z"): return position + 1 == text.count ? 0 : nil
  case UInt8(ascii: "+"): sign = 1
  case UInt8(ascii: "-"): sign = -1
  default: return nil
  }
  var minutes = position + 3
  if minutes < text.count, text[minutes] == UInt8(ascii: ":") { minutes += 1 }
  guard
    minutes + 2 == text.count, let hour = number(in: text, at: position + 1, digits: 2), hour <= 23,
    let minute = number(in: text, at: minutes, digits: 2), minute <= 59
  else { return nil }
  return sign * (hour * 3600 + minute * 60)
}
