internal import Foundation

/// `Retry-After` (RFC 9110 §10.2.3): seconds, or a date.
enum RetryAfter {
  /// Seconds, a hundred days or so: whoever uses the pause has a bound far below, and no sum overflows.
  private static let longest: Int64 = 10_000_000

  /// `nil` for none, one that cannot be read, and a date that has passed.
  static func pause(_ value: String?, now: Date) -> Duration? {
    guard let value, !value.isEmpty else { return nil }
    if value.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
      return .seconds(min(Int64(value) ?? longest, longest))
    }
    let format = DateFormatter()
    format.locale = Locale(identifier: "en_US_POSIX")
    format.timeZone = TimeZone(secondsFromGMT: 0)
    format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
    guard let date = format.date(from: value), date > now else { return nil }
    return .seconds(Int64(min(date.timeIntervalSince(now), Double(longest)).rounded(.up)))
  }
}
