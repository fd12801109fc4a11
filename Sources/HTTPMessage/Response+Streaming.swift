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
