import HTTPMessage

extension ReferenceParser {
  /// `chunked-body = *chunk last-chunk trailer-section CRLF` (RFC 9112 §7.1), without the white space that §7.1.1
  /// allows.
  mutating func readChunks() throws(Stop) {
    while true {
      let size = try chunkSize()
      if size == 0 { break }
      let data = rest.prefix(size)
      body += data
      rest = rest.dropFirst(size)
      guard data.count == size else { throw .incomplete }
      try expect(.carriageReturn)
      try expect(.lineFeed)
    }
    while true {
      var line: [UInt8] = []
      while line.last != .lineFeed {
        let byte = try peek()
        guard line.count < limits.headBytes else { throw .refused(431) }
        line.append(byte)
        if line.last == .lineFeed, line != Array("\r\n".utf8), Self.field(line) == nil { throw .refused(400) }
        try pass()
      }
      if line == Array("\r\n".utf8) { return }
    }
  }

  /// `chunk-size [ chunk-ext ] CRLF`: one to sixteen hexadecimal digits, and whatever is no control character behind a
  /// semicolon.
  private mutating func chunkSize() throws(Stop) -> Int {
    var digits = ""
    while let digit = Character(Unicode.Scalar(try peek())).asciiHexDigit {
      digits.append(digit)
      guard digits.count <= 16 else { throw .refused(400) }
      guard let size = Int(digits, radix: 16), size <= limits.bodyBytes - body.count else { throw .refused(413) }
      try pass()
    }
    guard let size = Int(digits, radix: 16) else { throw .refused(400) }
    if try peek() == UInt8(ascii: ";") {
      while try peek() != .carriageReturn {
        let byte = try peek()
        guard byte == 0x09 || (byte >= 0x20 && byte != 0x7f) else { throw .refused(400) }
        try pass()
      }
    }
    try expect(.carriageReturn)
    try expect(.lineFeed)
    return size
  }

  private mutating func expect(_ byte: UInt8) throws(Stop) {
    guard try peek() == byte else { throw .refused(400) }
    try pass()
  }

  private func peek() throws(Stop) -> UInt8 {
    guard let byte = rest.first else { throw .incomplete }
    return byte
  }

  /// A byte that is no content: one head's worth is free, and eight for each byte of content (CVE-2023-39326).
  private mutating func pass() throws(Stop) {
    rest = rest.dropFirst()
    overhead += 1
    guard overhead <= limits.headBytes + 8 * body.count else { throw .refused(400) }
  }
}

extension Character {
  /// Not `isHexDigit`, which takes full-width digits.
  fileprivate var asciiHexDigit: Character? { isASCII && isHexDigit ? self : nil }
}
