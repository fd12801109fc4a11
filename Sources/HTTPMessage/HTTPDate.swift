/// `IMF-fixdate` (RFC 9110 §5.6.7), by hand: a formatter costs more than the rest of the request.
package enum HTTPDate {
  /// The Date field (RFC 9110 §6.6.1) as it goes over the wire, its line end included.
  package static func field(secondsSince1970 seconds: Int) -> [UInt8] {
    Array("Date: ".utf8) + bytes(secondsSince1970: seconds) + Array("\r\n".utf8)
  }

  package static func bytes(secondsSince1970 seconds: Int) -> [UInt8] {
    let days = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
    let time = seconds - days * 86_400
    // Civil date from the count of days, eras of 400 years beginning on 1 March (Hinnant, chrono-compatible
    // algorithms).
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    let weekday = ((days % 7) + 11) % 7

    let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let clock = [time / 3600, time / 60 % 60, time % 60].map(twoDigits).joined(separator: ":")
    return Array("\(weekdays[weekday]), \(twoDigits(day)) \(months[month - 1]) \(year) \(clock) GMT".utf8)
  }

  private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }
}
