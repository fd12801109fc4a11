/// Where a string's contents lie in the text it was read from, without the quotes. Already known to be valid.
///
/// It keeps offsets, not bytes: hand its functions the text that the reader had.
package struct JSONString: Hashable, Sendable {
  package let range: Range<Int>
  /// Without escapes the bytes in `range` are the value.
  package let hasEscapes: Bool

  /// Lends the value's UTF-8 bytes: from the text itself, or from a copy when there are escapes to replace.
  package func withValue<Result, Failure: Error>(
    in text: Span<UInt8>, _ use: (Span<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    guard hasEscapes else { return try use(text.extracting(range)) }
    let value = unescaped(text.extracting(range))
    return try use(value.span)
  }

  package func text(in text: Span<UInt8>) -> String {
    withValue(in: text) { value in
      // The reader has validated the bytes; were it wrong, an empty string is better than a trap.
      guard let valid = try? UTF8Span(validating: value) else { return "" }
      return String(copying: valid)
    }
  }

  private func unescaped(_ contents: Span<UInt8>) -> [UInt8] {
    var value: [UInt8] = []
    value.reserveCapacity(contents.count)
    var position = 0
    while position < contents.count {
      guard contents[position] == UInt8(ascii: "\\"), position + 1 < contents.count else {
        value.append(contents[position])
        position += 1
        continue
      }
      let letter = contents[position + 1]
      guard letter == UInt8(ascii: "u") else {
        value.append(JSONString.byte(forEscape: letter))
        position += 2
        continue
      }
      var units = [JSONReader.codeUnit(in: contents, at: position + 2) ?? 0xFFFD]
      if JSONReader.isPair(units[0], in: contents, at: position),
        let trail = JSONReader.codeUnit(in: contents, at: position + 8)
      {
        units.append(trail)
      }
      value.append(contentsOf: String(decoding: units, as: UTF16.self).utf8)
      position += units.count * 6
    }
    return value
  }

  /// RFC 8259 §7: a quote, a backslash and a slash stand for themselves.
  private static func byte(forEscape letter: UInt8) -> UInt8 {
    switch letter {
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "f"): 0x0C
    case UInt8(ascii: "n"): 0x0A
    case UInt8(ascii: "r"): 0x0D
    case UInt8(ascii: "t"): 0x09
    default: letter
    }
  }
}
