/// A string as JSON writes it (RFC 8259 section 7), with its quotation marks.
package enum JSONText {
  /// - Parameter isEscaped: what is escaped beyond what must be.
  package static func append(
    _ text: String, to output: inout [UInt8], escaping isEscaped: (Unicode.Scalar) -> Bool = { _ in false }
  ) {
    // Nearly every text is ASCII that stands for itself, and is copied as a block. DEL is ASCII, and no text.
    let hasDelete = text.utf8.span.firstIndex(of: 0x7F, from: 0) < text.utf8.count
    if !hasDelete, append(plain: text.utf8.span, to: &output) { return }
    output.append(UInt8(ascii: "\""))
    for scalar in text.unicodeScalars { append(scalar, to: &output, escaping: isEscaped) }
    output.append(UInt8(ascii: "\""))
  }

  /// - Parameter text: UTF-8; what is none becomes U+FFFD.
  package static func append(_ text: Span<UInt8>, to output: inout [UInt8]) {
    if append(plain: text, to: &output) { return }
    append(String(decoding: text.indices.map { text[$0] }, as: UTF8.self), to: &output)
  }

  private static func append(plain text: Span<UInt8>, to output: inout [UInt8]) -> Bool {
    guard text.endOfPlainText(from: 0) == text.count else { return false }
    output.reserveCapacity(output.count + text.count + 2)
    output.append(UInt8(ascii: "\""))
    // The pointer is used within the closure only.
    unsafe text.withUnsafeBufferPointer { unsafe output.append(contentsOf: $0) }
    output.append(UInt8(ascii: "\""))
    return true
  }

  private static func append(
    _ scalar: Unicode.Scalar, to output: inout [UInt8], escaping isEscaped: (Unicode.Scalar) -> Bool
  ) {
    switch scalar {
    case "\"", "\\": output += [UInt8(ascii: "\\"), UInt8(truncatingIfNeeded: scalar.value)]
    case "\n": output += Array(#"\n"#.utf8)
    case "\r": output += Array(#"\r"#.utf8)
    case "\t": output += Array(#"\t"#.utf8)
    case _ where scalar.value < 0x20 || isEscaped(scalar): output += Array(escape(of: scalar).utf8)
    default: output += Array(UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }
  }

  /// As `\u202e`, or two of them for one beyond U+FFFF.
  package static func escape(of scalar: Unicode.Scalar) -> String {
    String(scalar).utf16.map { unit in
      let digits = String(unit, radix: 16)
      return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }.joined()
  }
}

extension Span<UInt8> {
  /// The first index from `start` on that needs a look of its own in a JSON string, or `count`: a quote, a backslash, a
  /// control character, or a byte beyond ASCII. Eight bytes at a time: strings are most of a body.
  @inlinable
  public func endOfPlainText(from start: Int) -> Int {
    var index = start
    while index + 8 <= count {
      let word = word(at: index)
      // In each term a byte's top bit tells. The lowest that is set is always right; those above it may owe theirs to a
      // carry.
      let quotes = (word ^ 0x2222_2222_2222_2222) &- 0x0101_0101_0101_0101
      let backslashes = (word ^ 0x5c5c_5c5c_5c5c_5c5c) &- 0x0101_0101_0101_0101
      let controls = word &- 0x2020_2020_2020_2020
      let stops = (quotes | backslashes | controls | word) & 0x8080_8080_8080_8080
      guard stops == 0 else { return index + stops.trailingZeroBitCount / 8 }
      index += 8
    }
    while index < count, self[index].isPlainText { index += 1 }
    return index
  }
}

extension UInt8 {
  @inlinable
  public var isPlainText: Bool {
    self >= 0x20 && self < 0x80 && self != UInt8(ascii: "\"") && self != UInt8(ascii: "\\")
  }
}
