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
