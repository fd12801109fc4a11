internal import Bytes
package import Foundation

/// `Retry-After` (RFC 9110 section 10.2.3): seconds, or a date.
package enum RetryAfter {
  /// Seconds, some hundred days. Callers have a bound far below; this one keeps their sums from overflowing.
  private static let longest: Int64 = 10_000_000

  /// The forms of a date (RFC 9110 section 5.6.7): the one that is written today, and two that must be read.
  private static let forms = [
    "EEE, dd MMM yyyy HH:mm:ss 'GMT'", "EEEE, dd-MMM-yy HH:mm:ss 'GMT'", "EEE MMM d HH:mm:ss yyyy",
  ]

  /// `nil` for none, one that cannot be read, and a date that has passed.
  package static func pause(_ value: String?, now: Date) -> Duration? {
    guard let value, (1...64).contains(value.utf8.count) else { return nil }
    if value.utf8.areDigits {
      return .seconds(min(Int64(value) ?? longest, longest))
    }
    guard let date = date(value, now: now), date > now else { return nil }
    return .seconds(Int64(min(date.timeIntervalSince(now), Double(longest)).rounded(.up)))
  }

  private static func date(_ value: String, now: Date) -> Date? {
    let format = DateFormatter()
    format.locale = Locale(identifier: "en_US_POSIX")
    format.timeZone = TimeZone(secondsFromGMT: 0)
    // A year of two digits that seems to be more than 50 years ahead is the last one that ended so.
    format.twoDigitStartDate = now.addingTimeInterval(-50 * 365.25 * 86_400)
    // A day of one digit has two spaces before it in the third form.
    let text = value.replacing("  ", with: " ")
    for form in forms {
      format.dateFormat = form
      if let date = format.date(from: text) { return date }
    }
    return nil
  }
}
