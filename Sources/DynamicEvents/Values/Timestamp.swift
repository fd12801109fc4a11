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
