import HTTPMessage

/// What must hold of what stands behind a chunk's size, for any bytes whatsoever: it is taken exactly when the grammar
/// has it (RFC 9112 section 7.1.1), `*( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )`.
enum ChunkCheck {
  static func violation(_ tail: [UInt8]) -> String? {
    // Behind the line's end the next line would begin, which is another reader's part.
    guard !tail.contains(0x0D), !tail.contains(0x0A), tail.count <= 512 else { return nil }
    // The first of more digits would belong to the size.
    if let first = tail.first, isHexadecimal(first) { return nil }
    let isExpected = isExtensions(tail[...])
    let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    let stream = Array(head.utf8) + Array("1".utf8) + tail + Array("\r\nx\r\n0\r\n\r\n".utf8)
    var reader = RequestReader(limits: MessageLimits())
    var request = RequestHead()
    var offset = 0
    while offset < stream.count {
      do throws(RequestError) {
        let step = try reader.next(stream.span.extracting(offset..<stream.count), head: &request)
        offset += step.consumed
        if case .request(let body, _) = step.event {
          guard isExpected else { return "taken, and the grammar has no such extension" }
          guard Array(reader.storage[body]) == Array("x".utf8) else { return "the content is not the chunk's" }
          return offset == stream.count ? nil : "bytes are left"
        }
      } catch {
        return isExpected ? "refused: \(error.detail)" : nil
      }
    }
    return "neither taken nor refused"
  }

  /// By the grammar, one rule after the other.
  private static func isExtensions(_ text: ArraySlice<UInt8>) -> Bool {
    var rest = text
    while !rest.isEmpty {
      skipSpace(&rest)
      guard rest.popFirst() == UInt8(ascii: ";") else { return false }
      skipSpace(&rest)
      guard skipToken(&rest) else { return false }
      var value = rest
      skipSpace(&value)
      guard value.popFirst() == UInt8(ascii: "=") else { continue }
      skipSpace(&value)
      guard value.first == UInt8(ascii: "\"") ? skipQuoted(&value) : skipToken(&value) else { return false }
      rest = value
    }
    return true
  }

  private static func skipSpace(_ rest: inout ArraySlice<UInt8>) { rest = rest.drop { $0 == 0x20 || $0 == 0x09 } }

  private static func skipToken(_ rest: inout ArraySlice<UInt8>) -> Bool {
    let token = rest.prefix { byte in
      isHexadecimal(byte) || ("g"..."z").contains(Unicode.Scalar(byte)) || ("G"..."Z").contains(Unicode.Scalar(byte))
        || "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
    rest = rest.dropFirst(token.count)
    return !token.isEmpty
  }

  private static func skipQuoted(_ rest: inout ArraySlice<UInt8>) -> Bool {
    rest.removeFirst()
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "\""): return true
      case UInt8(ascii: "\\"):
        guard let escaped = rest.popFirst(), isText(escaped) else { return false }
      case _ where !isText(byte): return false
      default: break
      }
    }
    return false
  }

  private static func isText(_ byte: UInt8) -> Bool { byte == 0x09 || (byte >= 0x20 && byte != 0x7F) }

  private static func isHexadecimal(_ byte: UInt8) -> Bool { "0123456789abcdefABCDEF".utf8.contains(byte) }
}
