internal import Bytes
package import Foundation

/// One HTTP request to another host, and how much its response may cost.
package struct OutgoingRequest: Sendable {
  package enum Method: String, Sendable {
    case get = "GET"
    case post = "POST"
    case put = "PUT"
    case delete = "DELETE"
  }

  package var method: Method
  /// `http` or `https`. An IPv6 address stands in brackets.
  package var url: String
  /// A unix domain socket to connect to instead of the URL's host.
  package var socketPath: String?
  package var fields: [(name: String, value: String)] = []
  /// Sent with POST and PUT, also when it is empty.
  package var body: [UInt8] = []
  /// Whether it may reach the peer twice. Only then it is sent again by itself when a kept connection ends before the
  /// first byte of a response, because the peer may have read it.
  package var isIdempotent: Bool
  package var limits = OutgoingLimits()
  /// A file with the certificate authorities to trust instead of the system's.
  package var authorities: String?

  package init(_ method: Method, _ url: String) {
    self.method = method
    self.url = url
    isIdempotent = method != .post
  }
}

/// What an exchange may take, whatever the peer does.
package struct OutgoingLimits: Sendable {
  /// Until the connection stands, TLS included. A lost first packet is sent again after 1, 3 and 7 seconds.
  package var connectTime = Duration.seconds(10)
  /// From the begin to the last byte of the response.
  package var time = Duration.seconds(30)
  /// Of the response's head, with those of all interim responses and the trailer.
  package var headBytes = 65_536
  /// Of the response's body. One that ends within them lets the connection be used again.
  package var bodyBytes = 65_536
  /// Whether the body is wanted. If not, it is read and dropped.
  package var keepsBody = true

  package init() {}
}

/// The response to a request. Its head is whole; its body may have been cut.
package struct OutgoingResponse: Sendable {
  package let status: Int
  /// Up to the limit.
  package let body: [UInt8]
  /// Why the body is not whole: the peer ended it too soon, it is too long, or the time was over. `nil`: it is whole.
  package let cut: OutgoingError?
  /// Status line and fields as they came.
  private let head: [UInt8]

  init(status: Int, head: [UInt8], body: [UInt8], cut: OutgoingError?) {
    self.status = status
    self.head = head
    self.body = body
    self.cut = cut
  }

  /// The value of the first field of that name, without the white space around it.
  package func value(of name: String) -> String? {
    for line in head.split(separator: 0x0A).dropFirst() {
      guard let colon = line.firstIndex(of: 0x3A), colon - line.startIndex == name.utf8.count,
        zip(line, name.utf8).allSatisfy({ lowercased($0) == lowercased($1) })
      else { continue }
      let isSpace = { (byte: UInt8) in byte == 0x20 || byte == 0x09 || byte == 0x0D }
      let value = line[(colon + 1)...].drop(while: isSpace)
      let end = value.lastIndex { !isSpace($0) }.map { $0 + 1 } ?? value.startIndex
      return String(decoding: value[..<end], as: UTF8.self)
    }
    return nil
  }

  private func lowercased(_ byte: UInt8) -> UInt8 {
    (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
  }
}

/// Why there is no response, or no whole one.
package struct OutgoingError: Error, Sendable, CustomStringConvertible {
  /// One line in printable ASCII. It names the host at most, never the rest of a URL.
  package let description: String
  /// Whether the peer may have got the request, or a part of it.
  package let mayHaveArrived: Bool
  package let isCancelled: Bool

  init(_ text: String, mayHaveArrived: Bool = false, isCancelled: Bool = false) {
    // A certificate's name comes from the peer.
    description = String(
      decoding: text.utf8.prefix(300).map { (0x20...0x7E).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    self.mayHaveArrived = mayHaveArrived
    self.isCancelled = isCancelled
  }
}

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
