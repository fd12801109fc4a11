import HTTPMessage

extension ReferenceParser {
  /// `chunked-body = *chunk last-chunk trailer-section CRLF` (RFC 9112 §7.1).
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

  /// `chunk-size [ chunk-ext ] CRLF`, with one to sixteen hexadecimal digits.
  private mutating func chunkSize() throws(Stop) -> Int {
    var digits = ""
    while let digit = Character(Unicode.Scalar(try peek())).asciiHexDigit {
      digits.append(digit)
      guard digits.count <= 16 else { throw .refused(400) }
      guard let size = Int(digits, radix: 16), size <= limits.bodyBytes - body.count else { throw .refused(413) }
      try pass()
    }
    guard let size = Int(digits, radix: 16) else { throw .refused(400) }
    try chunkExtensions()
    try expect(.carriageReturn)
    try expect(.lineFeed)
    return size
  }

  /// `chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )` (RFC 9112 §7.1.1).
  private mutating func chunkExtensions() throws(Stop) {
    var hadSpace = try space()
    while try peek() == UInt8(ascii: ";") {
      try pass()
      _ = try space()
      try token()
      hadSpace = try space()
      if try peek() == UInt8(ascii: "=") {
        try pass()
        _ = try space()
        if try peek() == UInt8(ascii: "\"") { try quotedString() } else { try token() }
        hadSpace = try space()
      }
    }
    // It belongs to the extension that would have followed.
    if hadSpace { throw .refused(400) }
  }

  private mutating func space() throws(Stop) -> Bool {
    var found = false
    while true {
      let byte = try peek()
      guard byte == 0x20 || byte == 0x09 else { return found }
      try pass()
      found = true
    }
  }

  private mutating func token() throws(Stop) {
    guard try peek().isTchar else { throw .refused(400) }
    while try peek().isTchar { try pass() }
  }

  /// RFC 9110 §5.6.4.
  private mutating func quotedString() throws(Stop) {
    try expect(UInt8(ascii: "\""))
    while try peek() != UInt8(ascii: "\"") {
      if try peek() == UInt8(ascii: "\\") { try pass() }
      let byte = try peek()
      guard byte == 0x09 || byte >= 0x20, byte != 0x7f else { throw .refused(400) }
      try pass()
    }
    try pass()
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
