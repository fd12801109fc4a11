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
