import Foundation
import Outgoing
import Testing

@Suite(.timeLimit(.minutes(1)))
struct RetryAfterTests {
  @Test(
    arguments: [
      (nil, nil), ("", nil), ("soon", nil), ("-1", nil), ("1.5", nil), ("0", .zero), ("120", .seconds(120)),
      ("99999999999999999999", .seconds(10_000_000)),
      // Ten seconds from now.
      ("Sun, 06 Nov 1994 08:49:47 GMT", .seconds(10)), ("Sun, 06 Nov 1994 08:49:36 GMT", nil),
      ("Sunday, 06-Nov-94 08:49:47 GMT", .seconds(10)), ("Sunday, 06-Nov-94 08:49:36 GMT", nil),
      ("Sun Nov  6 08:49:47 1994", .seconds(10)), ("Sun Nov  6 08:49:36 1994", nil),
      ("Wed Nov 16 08:49:37 1994", .seconds(864_000)),
      // A year of two digits is within 50 years from now, or past.
      ("Friday, 01-Jan-44 00:00:00 GMT", .seconds(10_000_000)), ("Saturday, 01-Jan-46 00:00:00 GMT", nil),
      ("Fri, 31 Dec 9999 23:59:59 GMT", .seconds(10_000_000)), (String(repeating: "9", count: 65), nil),
      ("Sun, 06 Nov 1994 08:49:47 GMT" + String(repeating: " ", count: 100_000), nil),
    ] as [(String?, Duration?)])
  func `Retry-After is seconds or a date in one of three forms`(value: String?, pause: Duration?) {
    #expect(RetryAfter.pause(value, now: Date(timeIntervalSince1970: 784_111_777)) == pause)
  }
}
