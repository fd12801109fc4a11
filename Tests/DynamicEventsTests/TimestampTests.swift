import Foundation
import Testing

@testable import DynamicEvents

@Suite("Times", .timeLimit(.minutes(2)))
struct TimestampTests {
  static let accepted: [(String, Int64)] = [
    ("1970-01-01T00:00:00Z", 0), ("1969-12-31T23:59:59.999Z", -1), ("2026-10-01T09:00:00.348Z", 1_790_845_200_348),
    ("2026-10-01T09:00:00Z", 1_790_845_200_000), ("2026-10-01t09:00:00z", 1_790_845_200_000),
    ("2026-10-01T09:00:00.3Z", 1_790_845_200_300), ("2026-10-01T09:00:00.34Z", 1_790_845_200_340),
    ("2026-10-01T09:00:00.3489Z", 1_790_845_200_348), ("2026-10-01T09:00:00.348999999Z", 1_790_845_200_348),
    ("2026-10-01T09:00:00.000000000Z", 1_790_845_200_000), ("2026-10-01T11:00:00.348+02:00", 1_790_845_200_348),
    ("2026-10-01T11:00:00.348+0200", 1_790_845_200_348), ("2026-10-01T03:30:00-05:30", 1_790_845_200_000),
    ("2026-10-01T09:00:00-00:00", 1_790_845_200_000), ("2024-02-29T00:00:00Z", 1_709_164_800_000),
    ("2000-02-29T00:00:00Z", 951_782_400_000), ("2016-12-31T23:59:60Z", 1_483_228_800_000),
    ("2016-12-31T23:59:60.5Z", 1_483_228_800_500), ("0000-01-01T00:00:00Z", -62_167_219_200_000),
    ("9999-12-31T23:59:59.999Z", 253_402_300_799_999), ("0001-01-01T00:00:00Z", -62_135_596_800_000),
  ]

  static let rejected = [
    "", "Z", "2026-10-01", "2026-10-01T09:00:00", "2026-10-01T09:00:00.348", "2026-10-01T09:00Z",
    "2026-10-01 09:00:00Z",
    "2026-10-01T09:00:00.Z", "2026-10-01T09:00:00.0123456789Z", "2026-10-01T09:00:00,348Z", "2026-10-01T09:00:00ZZ",
    "2026-10-01T09:00:00Z ", " 2026-10-01T09:00:00Z", "2026-10-01T09:00:00+2", "2026-10-01T09:00:00+02",
    "2026-10-01T09:00:00+02:0", "2026-10-01T09:00:00+02:000", "2026-10-01T09:00:00+24:00", "2026-10-01T09:00:00+02:60",
    "2026-10-01T09:00:00+-2:00", "2026-13-01T09:00:00Z", "2026-00-01T09:00:00Z", "2026-10-00T09:00:00Z",
    "2026-10-32T09:00:00Z", "2026-09-31T09:00:00Z", "2026-02-29T09:00:00Z", "1900-02-29T09:00:00Z",
    "2024-02-30T09:00:00Z",
    "2026-10-01T24:00:00Z", "2026-10-01T09:60:00Z", "2026-10-01T09:00:61Z", "+026-10-01T09:00:00Z",
    "20261001T090000.000Z",
    "2026/10/01T09:00:00Z", "2026-10-01T09.00.00Z", "2026-1O-01T09:00:00Z", "0000-01-01T00:00:00+00:01",
    "9999-12-31T23:59:59-00:01", "9999-12-31T23:59:60Z", "２026-10-01T09:00Z", "1790845200348",
    "2026-10-01T09:00:00.348Zé",
  ]

  @Test(arguments: accepted)
  func `RFC 3339 is read to the millisecond`(text: String, milliseconds: Int64) {
    #expect(Timestamp(text)?.milliseconds == milliseconds)
  }

  @Test(arguments: rejected)
  func `What is no time is none`(text: String) {
    #expect(Timestamp(text) == nil)
  }

  @Test(arguments: accepted)
  func `It is written with three digits in UTC, and read back as it was`(text: String, milliseconds: Int64) {
    let timestamp = Timestamp(milliseconds: milliseconds)
    #expect(timestamp.description.utf8.count == 24)
    #expect(Timestamp(timestamp.description) == timestamp)
    #expect(Timestamp(timestamp.date) == timestamp)
  }

  @Test func `From 1583 on, where Foundation's calendar turns Gregorian too, days are the ones that it has`() throws {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = try #require(TimeZone(secondsFromGMT: 0))
    // 53 days a step: every month, day and year of the cycle of 400 years comes by, not every day.
    for day in stride(from: Int64(-141_000), through: 157_000, by: 53) {
      let timestamp = Timestamp(milliseconds: day * 86_400_000 + 45_296_789)
      let parts = calendar.dateComponents([.year, .month, .day], from: timestamp.date)
      let text = timestamp.description
      #expect(text.hasSuffix("T12:34:56.789Z"))
      #expect(text.prefix(10).split(separator: "-").map { Int($0) } == [parts.year, parts.month, parts.day])
    }
  }

  @Test func `Every month of the years 0000 to 9999 is written and read as one, in order`() {
    var last = ""
    for day in stride(from: Int64(-719_528), through: 2_932_896, by: 29) {
      let timestamp = Timestamp(milliseconds: day * 86_400_000)
      let text = timestamp.description
      #expect(Timestamp(text) == timestamp && last < text)
      last = text
    }
    #expect(last.hasPrefix("9999-12-"))
  }

  @Test func `Times beyond the years 0000 to 9999 stop at the edge and never trap`() {
    let first = "0000-01-01T00:00:00.000Z"
    let last = "9999-12-31T23:59:59.999Z"
    #expect(Timestamp(milliseconds: .min).description == first)
    #expect(Timestamp(milliseconds: .max).description == last)
    for seconds in [-1e300, -.infinity, .nan, -1e12] {
      #expect(Timestamp(Date(timeIntervalSince1970: seconds)).description == first)
    }
    for seconds in [1e300, .infinity, 1e12] {
      #expect(Timestamp(Date(timeIntervalSince1970: seconds)).description == last)
    }
  }

  @Test func `They are ordered as time is`() {
    let times = [-1, 0, 1, 1_790_845_200_348].map { Timestamp(milliseconds: $0) }
    #expect(times.shuffled().sorted() == times)
  }
}
