internal import Bytes

extension RequestHead {
  /// What the bytes at hand amount to.
  package enum Progress: Sendable, Equatable {
    /// The head ends at `byteCount`.
    case complete
    /// So far nothing is wrong.
    case incomplete
  }

  /// Reads one head from the start of `bytes`.
  ///
  /// The verdict depends only on the bytes and not on how they were cut into reads: the first byte is judged at once (a
  /// TLS hello is turned away by it), the request line when it is whole, the fields when the head is whole.
  package mutating func parse(_ bytes: Span<UInt8>, limits: MessageLimits) throws(RequestError) -> Progress {
    reset()
    var reader = LineReader()
    guard try parseRequestLine(bytes, limits, &reader) else {
      if bytes.count > limits.headBytes { throw Self.lineTooLong }
      return .incomplete
    }
    do throws(RequestError) {
      guard try parseFields(bytes, &reader) else {
        if bytes.count >= limits.headBytes { throw Self.tooLarge }
        return .incomplete
      }
    } catch {
      // A later read may not change the verdict: until the head is whole, its fields are not judged.
      if let end = HeadEnd.search(bytes, from: 0).end, end <= limits.headBytes { throw error }
      if bytes.count >= limits.headBytes { throw Self.tooLarge }
      return .incomplete
    }
    byteCount = reader.position
    if byteCount > limits.headBytes { throw Self.tooLarge }
    try interpretFields(bytes)
    return .complete
  }

  private static var lineTooLong: RequestError {
    RequestError(.uriTooLong, "the request line is longer than the server accepts")
  }

  private static var tooLarge: RequestError {
    RequestError(.headerFieldsTooLarge, "the request's header fields are larger than the server accepts")
  }

  /// False when the line is not whole yet.
  private mutating func parseRequestLine(
    _ bytes: Span<UInt8>, _ limits: MessageLimits, _ reader: inout LineReader
  ) throws(RequestError) -> Bool {
    let count = bytes.count
    var position = 0
    // RFC 9112 §2.2: ignore an empty line before the request line. One, not any number.
    if count > 0, bytes[0] == 0x0d {
      guard count > 1 else { return false }
      guard bytes[1] == 0x0a else { throw .bad("a carriage return stands alone") }
      position = 2
    }
    guard position < count else { return false }
    guard ByteClass.token.contains(bytes[position]) else { throw .bad("the request does not begin with a method") }

    let start = position
    while position < count, ByteClass.token.contains(bytes[position]) { position += 1 }
    let methodEnd = position
    var targetRange = position..<position
    var valid = position < count && bytes[position] == 0x20
    if valid {
      position += 1
      let targetStart = position
      while position < count, bytes[position] > 0x20, bytes[position] < 0x7f { position += 1 }
      targetRange = targetStart..<position
      valid = position < count && bytes[position] == 0x20 && !targetRange.isEmpty
    }
    if valid { position += 1 }
    // The line is judged when it is whole, whatever stood in it.
    let versionStart = position
    while position < count, bytes[position] != 0x0a { position += 1 }
    guard position < count else { return false }
    if position >= limits.headBytes { throw Self.lineTooLong }
    guard bytes[position - 1] == 0x0d else { throw .bad("a line feed stands alone") }
    guard valid else { throw .bad("the request line is not METHOD SP TARGET SP VERSION") }

    method = Self.method(bytes.extracting(start..<methodEnd))
    try parseVersion(bytes.extracting(versionStart..<position - 1))
    try parseTarget(bytes, targetRange)
    reader.position = position + 1
    return true
  }

  /// False when the head is not whole yet.
  private mutating func parseFields(_ bytes: Span<UInt8>, _ reader: inout LineReader) throws(RequestError) -> Bool {
    while true {
      switch try reader.fieldLine(bytes) {
      case .needsMore: return false
      case .end: return true
      case .field(let field):
        if !append(field) { throw RequestError(.headerFieldsTooLarge, "the request has more than 100 header fields") }
      }
    }
  }

  private static func method(_ name: Span<UInt8>) -> Method {
    // Methods are case-sensitive (RFC 9110 §9.1): `get` is another method.
    if name.equals("GET") { return .get }
    if name.equals("POST") { return .post }
    if name.equals("HEAD") { return .head }
    if name.equals("OPTIONS") { return .options }
    if name.equals("CONNECT") { return .connect }
    return .other
  }

  /// `HTTP-version = HTTP-name "/" DIGIT "." DIGIT` (RFC 9112 §2.3), case-sensitive.
  private mutating func parseVersion(_ bytes: Span<UInt8>) throws(RequestError) {
    guard bytes.count == 8, bytes.extracting(0..<5).equals("HTTP/"), bytes[5].isDigit, bytes[6] == 0x2e,
      bytes[7].isDigit
    else { throw .bad("the request line does not end in an HTTP version") }
    guard bytes[5] == 0x31 else {
      throw RequestError(.versionNotSupported, "only HTTP/1.1 and HTTP/1.0 are spoken here")
    }
    minorVersion = bytes[7] == 0x30 ? 0 : 1
    keepsAlive = minorVersion == 1
  }

  /// RFC 9112 §3.2: origin-form, absolute-form (as sent to proxies, and required of servers), `*` for OPTIONS.
  private mutating func parseTarget(_ bytes: Span<UInt8>, _ target: Range<Int>) throws(RequestError) {
    if method == .connect { throw RequestError(.notImplemented, "this server is no proxy") }
    var start = target.lowerBound
    if bytes[start] == 0x2a, target.count == 1 {
      guard method == .options else { throw .bad("the target * belongs to OPTIONS") }
      path = Slice()
      return
    }
    if bytes[start] != 0x2f {
      let form = bytes.extracting(target)
      let scheme: Int
      if form.count > 7, form.extracting(0..<7).equals(ignoringCase: "http://") {
        scheme = 7
      } else if form.count > 8, form.extracting(0..<8).equals(ignoringCase: "https://") {
        scheme = 8
      } else {
        throw .bad("the target is neither a path nor an http URL")
      }
      start += scheme
      let authority = start
      while start < target.upperBound, bytes[start] != 0x2f, bytes[start] != 0x3f { start += 1 }
      guard HostField.isValid(bytes.extracting(authority..<start)), start > authority else {
        throw .bad("the target's authority is malformed")
      }
    }
    var pathEnd: Int?
    var index = start
    while index < target.upperBound {
      let byte = bytes[index]
      if byte == 0x25 {
        guard index + 2 < target.upperBound, bytes[index + 1].hexDigitValue != nil,
          bytes[index + 2].hexDigitValue != nil
        else { throw .bad("the target holds a broken percent-encoding") }
        index += 2
      } else if byte == 0x3f {
        if pathEnd == nil { pathEnd = index }
      } else if !ByteClass.target.contains(byte) {
        throw .bad("the target holds a byte that a URL may not hold")
      }
      index += 1
    }
    path = Slice(start..<(pathEnd ?? target.upperBound))
  }
}

/// Reads field lines (RFC 9112 §5), of a head or of trailers.
struct LineReader {
  enum Line {
    case needsMore
    case field(RequestHead.Field)
    /// The empty line.
    case end
  }

  var position = 0

  /// The next line. Refused, because proxies read each of them in more than one way: a CR or LF that stands alone,
  /// white space before the colon, a folded line (obs-fold), an empty name, a control character in the value.
  @inline(__always)
  mutating func fieldLine(_ bytes: Span<UInt8>) throws(RequestError) -> Line {
    let count = bytes.count
    var index = position
    guard index < count else { return .needsMore }
    if bytes[index] == 0x0d {
      guard index + 1 < count else { return .needsMore }
      guard bytes[index + 1] == 0x0a else { throw .bad("a carriage return stands alone") }
      position = index + 2
      return .end
    }
    let nameStart = index
    index = bytes.endOfToken(from: index)
    guard index < count else { return .needsMore }
    guard index > nameStart, bytes[index] == 0x3a else {
      if bytes[nameStart] == 0x20 || bytes[nameStart] == 0x09 { throw .bad("a field line is folded") }
      throw .bad("a field name is not a token followed by a colon")
    }
    let name = nameStart..<index
    index += 1
    while index < count, bytes[index] == 0x20 || bytes[index] == 0x09 { index += 1 }
    let valueStart = index
    index = bytes.endOfFieldContent(from: index)
    guard index < count else { return .needsMore }
    guard bytes[index] == 0x0d else { throw .bad("a field value holds a control character") }
    guard index + 1 < count else { return .needsMore }
    guard bytes[index + 1] == 0x0a else { throw .bad("a carriage return stands alone") }
    position = index + 2
    while index > valueStart, bytes[index - 1] == 0x20 || bytes[index - 1] == 0x09 { index -= 1 }
    var field = RequestHead.Field()
    field.name = RequestHead.Slice(name)
    field.value = RequestHead.Slice(valueStart..<index)
    return .field(field)
  }
}

/// Looks for the end of a head that came in pieces, from where the last look ended: linear work for a client that sends
/// byte by byte.
package enum HeadEnd {
  /// `end`: after the empty line, or after a line feed that stands alone (which the parser then refuses). `firstLine`:
  /// whether a line feed was met at all. `scanned`: where to go on.
  package static func search(_ bytes: Span<UInt8>, from start: Int) -> (end: Int?, sawLine: Bool) {
    var sawLine = false
    var index = start
    while index < bytes.count {
      if bytes[index] == 0x0a {
        guard index > 0, bytes[index - 1] == 0x0d else { return (index + 1, true) }
        // The empty line that may precede a request (index 1) ends no head.
        if index > 3, bytes[index - 2] == 0x0a { return (index + 1, true) }
        if index > 1 { sawLine = true }
      }
      index += 1
    }
    return (nil, sawLine)
  }
}
