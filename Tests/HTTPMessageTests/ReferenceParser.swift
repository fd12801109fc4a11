import HTTPMessage

/// A second reader of requests, to compare the first with. Slow and plain: it has the whole stream, copies freely, and
/// checks one rule after another.
///
/// Where two rules are broken, the status is that of the earlier line. What it shares with the production reader is
/// only when a verdict falls: on the first byte, on the whole request line, on the whole head (or on a line feed that
/// stands alone in it), on each byte of a chunk's frame, on each whole line of the trailers.
struct ReferenceParser {
  /// Why no further request can be read.
  enum Stop: Error {
    case incomplete
    case refused(Int)
  }

  let limits: MessageLimits
  /// What was not read yet.
  var rest: ArraySlice<UInt8>
  /// Of the present request: bytes of chunk frames and trailers, and of content.
  var overhead = 0
  var body: [UInt8] = []

  static func outcomes(_ stream: [UInt8], limits: MessageLimits = MessageLimits()) -> [Outcome] {
    var parser = ReferenceParser(limits: limits, rest: stream[...])
    var outcomes: [Outcome] = []
    while !parser.rest.isEmpty {
      do throws(Stop) {
        outcomes.append(.request(try parser.request()))
      } catch {
        switch error {
        case .incomplete: return outcomes + [.incomplete]
        case .refused(let status): return outcomes + [.refused(status)]
        }
      }
    }
    return outcomes
  }

  /// `HTTP-message = start-line CRLF *( field-line CRLF ) CRLF [ message-body ]` (RFC 9112 §2.1).
  private mutating func request() throws(Stop) -> ReadRequest {
    overhead = 0
    body = []
    let lines = try headLines()
    var request = try Self.requestLine(lines[0])
    request.fields = try Self.fields(lines.dropFirst())
    switch try interpretFields(of: &request) {
    case .chunked: try readChunks()
    case .length(let length):
      guard rest.count >= length else { throw .incomplete }
      body = Array(rest.prefix(length))
      rest = rest.dropFirst(length)
    }
    request.body = body
    return request
  }

  /// The request line and the field lines, with their line ends, without the empty line.
  private mutating func headLines() throws(Stop) -> [[UInt8]] {
    let stream = Array(rest)
    var start = 0
    // "SHOULD ignore at least one empty line (CRLF) received prior to the request-line" (§2.2): one.
    if stream[0] == .carriageReturn {
      guard stream.count > 1 else { throw .incomplete }
      guard stream[1] == .lineFeed else { throw .refused(400) }
      start = 2
    }
    guard start < stream.count else { throw .incomplete }
    guard stream[start].isTchar else { throw .refused(400) }

    guard let lineEnd = stream[start...].firstIndex(of: .lineFeed) else {
      throw stream.count > limits.headBytes ? .refused(414) : .incomplete
    }
    guard lineEnd < limits.headBytes else { throw .refused(414) }
    var lines = [Array(stream[start...lineEnd])]
    _ = try Self.requestLine(lines[0])

    start = lineEnd + 1
    while true {
      guard let end = stream[start...].firstIndex(of: .lineFeed), end < limits.headBytes else {
        throw stream.count >= limits.headBytes ? .refused(431) : .incomplete
      }
      let line = Array(stream[start...end])
      start = end + 1
      if line == Array("\r\n".utf8) { break }
      lines.append(line)
      // This line's fault is found with the others', in their order.
      if !line.endsInCRLF { break }
    }
    rest = rest.dropFirst(start)
    return lines
  }
}
