import Foundation
import Testing

@testable import Handlers

struct RetryAfterTests {
  @Test(
    "Retry-After is seconds or a date",
    arguments: [
      (nil, nil), ("", nil), ("soon", nil), ("-1", nil), ("1.5", nil), ("0", .zero), ("120", .seconds(120)),
      ("99999999999999999999", .seconds(10_000_000)),
      // Ten seconds from now.
      ("Sun, 06 Nov 1994 08:49:47 GMT", .seconds(10)), ("Sun, 06 Nov 1994 08:49:36 GMT", nil),
      ("Fri, 31 Dec 9999 23:59:59 GMT", .seconds(10_000_000)),
    ] as [(String?, Duration?)])
  func pauses(value: String?, pause: Duration?) {
    #expect(RetryAfter.pause(value, now: Date(timeIntervalSince1970: 784_111_777)) == pause)
  }
}
