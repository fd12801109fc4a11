internal import Bytes

/// A response whose head is encoded once: constant answers cost two copies each time they are sent.
package struct Response: Sendable {
  package let status: Status
  /// Status line and fields up to what depends on the connection and the time.
  private(set) var head: [UInt8]
  /// One more field line as it goes over the wire, its line end included; beside `head`, so that a constant answer gets
  /// it without being copied.
  package var line: [UInt8] = []
  package let body: [UInt8]
  /// Makes what follows `body`, when the length is not known yet.
  package internal(set) var rest: (any ResponseBody)?

  /// `fields`: further field lines as name and value; values must be free of control characters.
  package init(
    _ status: Status, contentType: StaticString = "application/json", fields: [(StaticString, String)] = [],
    body: [UInt8]
  ) {
    self.init(status, contentType: contentType, fields: fields, body: body, length: body.count)
  }

  init(
    _ status: Status, contentType: StaticString?, fields: [(StaticString, String)], body: [UInt8], length: Int?
  ) {
    var head: [UInt8] = []
    head.reserveCapacity(128)
    head.append(contentsOf: "HTTP/1.1 ")
    head.append(decimal: Int(status.code))
    head.append(0x20)
    head.append(contentsOf: status.reason)
    if let contentType {
      head.append(contentsOf: "\r\nContent-Type: ")
      head.append(contentsOf: contentType)
    }
    if let length {
      head.append(contentsOf: "\r\nContent-Length: ")
      head.append(decimal: length)
    }
    head.append(contentsOf: "\r\n")
    self.status = status
    self.head = head
    self.body = body
    for (name, value) in fields { append(name, value) }
  }

  /// A response without content.
  package init(_ status: Status, fields: [(StaticString, String)] = []) {
    self.init(status, contentType: nil, fields: fields, body: [], length: 0)
  }

  /// A 304. It has no content, and no Content-Length, which would be that of the content it stands for (RFC 9110 §8.6).
  package init(notModified fields: [(StaticString, String)]) {
    self.init(.notModified, contentType: nil, fields: fields, body: [], length: nil)
  }

  /// The same in a content coding: `body` is the other's, encoded.
  package init(_ response: Response, coding: String, body: [UInt8]) {
    self.init(
      response.status, contentType: nil, fields: [("Content-Encoding", coding)], body: body,
      length: body.count)
    // What stands between the status line, the length and the end.
    for line in response.head.split(separator: UInt8(ascii: "\n")).dropFirst() {
      if !line.starts(with: "Content-Length:".utf8) { head += line + [UInt8(ascii: "\n")] }
    }
    self.line = response.line
  }

  private mutating func append(_ name: StaticString, _ value: String) {
    head.append(contentsOf: name)
    head.append(contentsOf: ": ")
    // A control character would let a value write fields of its own.
    head.append(contentsOf: value.utf8.map { $0.isFieldContent ? $0 : 0x20 })
    head.append(contentsOf: "\r\n")
  }

  package init(
    _ status: Status, contentType: StaticString = "application/json", fields: [(StaticString, String)] = [],
    body: String
  ) {
    self.init(status, contentType: contentType, fields: fields, body: Array(body.utf8))
  }

  /// An error as `application/problem+json` (RFC 9457). Nothing of the request is echoed.
  package init(problem status: Status, detail: String? = nil, fields: [(StaticString, String)] = []) {
    var text = Array(#"{"type":"about:blank","title":"\#(status.reason)","status":\#(status.code)"#.utf8)
    if let detail {
      text.append(contentsOf: #","detail":"#)
      JSONText.append(detail, to: &text)
    }
    text.append(contentsOf: "}\n")
    self.init(status, contentType: "application/problem+json", fields: fields, body: text)
  }

  /// `date`: a Date field with its line end. `withoutBody`: the answer to HEAD, whose fields are those of GET.
  package func encode(
    into output: inout [UInt8], date: [UInt8], connection: ConnectionOption?, withoutBody: Bool = false
  ) {
    output.append(contentsOf: head.span)
    if !line.isEmpty { output.append(contentsOf: line.span) }
    output.append(contentsOf: date.span)
    switch connection {
    case .close: output.append(contentsOf: "Connection: close\r\n\r\n")
    case .keepAlive: output.append(contentsOf: "Connection: keep-alive\r\n\r\n")
    case nil: output.append(contentsOf: "\r\n")
    }
    if !withoutBody { output.append(contentsOf: body.span) }
  }

  /// The interim answer to `Expect: 100-continue`.
  package static let `continue` = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
}

/// What a response says of its connection; nothing, where HTTP/1.1's default holds.
package enum ConnectionOption: Sendable { case close, keepAlive }

extension [UInt8] {
  /// Appends a copy of the bytes.
  package mutating func append(contentsOf bytes: Span<UInt8>) {
    // The pointer is used within the closure only.
    unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
  }

  /// - Parameter number: not negative.
  mutating func append(decimal number: Int) {
    if number >= 10 { append(decimal: number / 10) }
    append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: number % 10))
  }

  package mutating func append(contentsOf text: StaticString) {
    // A StaticString's UTF-8 pointer is valid for the life of the process.
    unsafe append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }
}

/// A status code of RFC 9110 §15, with its reason phrase.
package struct Status: Sendable, Hashable {
  package let code: UInt16
  package let reason: StaticString

  package static func == (left: Status, right: Status) -> Bool { left.code == right.code }
  package func hash(into hasher: inout Hasher) { hasher.combine(code) }

  package static let ok = Status(code: 200, reason: "OK")
  package static let notModified = Status(code: 304, reason: "Not Modified")
  package static let badRequest = Status(code: 400, reason: "Bad Request")
  package static let unauthorized = Status(code: 401, reason: "Unauthorized")
  package static let forbidden = Status(code: 403, reason: "Forbidden")
  package static let notFound = Status(code: 404, reason: "Not Found")
  package static let methodNotAllowed = Status(code: 405, reason: "Method Not Allowed")
  package static let requestTimeout = Status(code: 408, reason: "Request Timeout")
  package static let gone = Status(code: 410, reason: "Gone")
  package static let contentTooLarge = Status(code: 413, reason: "Content Too Large")
  package static let uriTooLong = Status(code: 414, reason: "URI Too Long")
  package static let expectationFailed = Status(code: 417, reason: "Expectation Failed")
  package static let headerFieldsTooLarge = Status(code: 431, reason: "Request Header Fields Too Large")
  package static let notImplemented = Status(code: 501, reason: "Not Implemented")
  package static let serviceUnavailable = Status(code: 503, reason: "Service Unavailable")
  package static let versionNotSupported = Status(code: 505, reason: "HTTP Version Not Supported")
}

/// Why a request is refused before anyone looks at what it asks for. The connection closes after the answer, since
/// where the next request would begin can no longer be trusted.
package struct RequestError: Error, Sendable, Equatable {
  package let status: Status
  /// A fixed sentence for the answer's `detail`; never holds input.
  package let detail: String

  init(_ status: Status, _ detail: String) {
    self.status = status
    self.detail = detail
  }

  static func bad(_ detail: String) -> RequestError { RequestError(.badRequest, detail) }
}

extension RequestError {
  /// Head or body did not arrive before its deadline.
  package static let timeout = RequestError(.requestTimeout, "the request did not arrive in time")
  package static let contentTooLarge = RequestError(
    .contentTooLarge, "the request's content is larger than the server accepts")
}

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

extension Response {
  /// A response whose length is not known yet: `first` is the part of its body that is there already, `rest` makes what
  /// follows.
  package init(
    _ status: Status, contentType: StaticString, fields: [(StaticString, String)] = [], first: [UInt8],
    rest: any ResponseBody
  ) {
    self.init(status, contentType: contentType, fields: fields, body: first, length: nil)
    self.rest = rest
  }

  /// The head and the first part. To HTTP/1.0, which knows no chunks, the body ends with the connection (RFC 9112
  /// §6.3).
  package func encodeStart(
    into output: inout [UInt8], date: [UInt8], connection: ConnectionOption?, isChunked: Bool, withoutBody: Bool
  ) {
    output.append(contentsOf: head)
    output.append(contentsOf: line)
    if isChunked { output.append(contentsOf: "Transfer-Encoding: chunked\r\n") }
    output.append(contentsOf: date)
    output.append(contentsOf: connection == .close ? "Connection: close\r\n\r\n" : "\r\n")
    if !withoutBody { Self.append(body.span, to: &output, isChunked: isChunked) }
  }

  /// One part, as a chunk or as it is. An empty part is nothing: as a chunk it would be the last.
  package static func append(_ part: Span<UInt8>, to output: inout [UInt8], isChunked: Bool) {
    guard !part.isEmpty else { return }
    if isChunked {
      output.append(contentsOf: String(part.count, radix: 16).utf8)
      output.append(contentsOf: "\r\n")
    }
    output.append(contentsOf: part)
    if isChunked { output.append(contentsOf: "\r\n") }
  }

  /// Ends a chunked body; there are no trailers.
  package static let lastChunk = Array("0\r\n\r\n".utf8)
}

/// A body that is made while it is sent, one part after another: for what is too long to hold.
package protocol ResponseBody: AnyObject, Sendable {
  /// Appends the next part, whose size has a bound of the body's own; it may be empty. Called again once the peer's
  /// socket has taken it.
  func appendNext(to output: inout [UInt8]) -> BodyProgress
}

package enum BodyProgress: Sendable {
  case more
  /// That was the last part.
  case last
  /// The rest cannot be made. The peer has to learn that it did not get everything: the connection ends without the
  /// last chunk (RFC 9112 §8).
  case failed
}
