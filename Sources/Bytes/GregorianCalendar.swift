/// The proleptic Gregorian calendar as RFC 3339 uses it, on numbers: Foundation's costs a hundred times as much.
///
/// Years count from March, so that the leap day comes last and every month begins at a fixed place in its year.
public enum GregorianCalendar {
  /// Days since 1970-01-01; `nil` for a day that does not exist.
  @inlinable
  public static func day(year: Int64, month: Int64, day: Int64) -> Int64? {
    guard (0...9999).contains(year), (1...12).contains(month), day >= 1 else { return nil }
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let length: Int64 =
      switch month {
      case 2: isLeap ? 29 : 28
      case 4, 6, 9, 11: 30
      default: 31
      }
    guard day <= length else { return nil }
    let shifted = month > 2 ? year : year - 1
    let (era, yearOfEra) = shifted.quotientFlooring(by: 400)
    let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * daysOfEra + dayOfEra - daysTo1970
  }

  /// The inverse of `day`, for days within the years 0000 to 9999.
  @inlinable
  public static func date(ofDay day: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let (era, dayOfEra) = (day + daysTo1970).quotientFlooring(by: daysOfEra)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (
      era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    )
  }

  /// In 400 years.
  @usableFromInline static var daysOfEra: Int64 { 146_097 }
  /// From 0000-03-01.
  @usableFromInline static var daysTo1970: Int64 { 719_468 }
}

extension Int64 {
  /// Rounds down, so that the remainder is never negative, before 1970 as well.
  @inlinable
  public func quotientFlooring(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
  }
}
