internal import Bytes

/// `IMF-fixdate` (RFC 9110 §5.6.7), by hand: a formatter costs more than the rest of the request.
package enum HTTPDate {
  /// The Date field (RFC 9110 §6.6.1) as it goes over the wire, its line end included.
  package static func field(secondsSince1970 seconds: Int) -> [UInt8] {
    Array("Date: ".utf8) + bytes(secondsSince1970: seconds) + Array("\r\n".utf8)
  }

  package static func bytes(secondsSince1970 seconds: Int) -> [UInt8] {
    let (days, time) = Int64(seconds).quotientFlooring(by: 86_400)
    let (year, month, day) = GregorianCalendar.date(ofDay: days)
    // The first of 1970 was a Thursday.
    let weekday = (days + 4).quotientFlooring(by: 7).remainder
    let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let clock = [time / 3600, time / 60 % 60, time % 60].map(twoDigits).joined(separator: ":")
    return Array("\(weekdays[Int(weekday)]), \(twoDigits(day)) \(months[Int(month) - 1]) \(year) \(clock) GMT".utf8)
  }

  private static func twoDigits(_ number: Int64) -> String { number < 10 ? "0\(number)" : String(number) }
}
