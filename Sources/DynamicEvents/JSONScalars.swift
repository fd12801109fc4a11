internal import Bytes

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

extension JSONReader {
  /// RFC 8259 §7 and §8.1: from the opening quote past the closing one.
  mutating func readString(in text: Span<UInt8>) throws(JSONError) -> JSONString {
    let start = position + 1
    var hasEscapes = false
    position = start
    while true {
      position = text.endOfPlainText(from: position)
      guard position < text.count else { throw error(.unexpectedEnd) }
      switch text[position] {
      case UInt8(ascii: "\""):
        let end = position
        position += 1
        return JSONString(range: start..<end, hasEscapes: hasEscapes)
      case UInt8(ascii: "\\"):
        hasEscapes = true
        try readEscape(in: text)
      case 0x00..<0x20: throw error(.controlCharacter)
      default: try readMultibyteScalar(in: text)
      }
    }
  }

  /// The number that four hexadecimal digits of either case make; `nil` when they are not there.
  static func codeUnit(in text: Span<UInt8>, at position: Int) -> UInt16? {
    guard position + 4 <= text.count else { return nil }
    var value: UInt16 = 0
    for offset in 0..<4 {
      let byte = text[position + offset]
      let digit: UInt8
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
      default: return nil
      }
      value = value << 4 | UInt16(digit)
    }
    return value
  }

  /// Whether the escape of `lead` at `position` and the one behind it make one scalar.
  static func isPair(_ lead: UInt16, in text: Span<UInt8>, at position: Int) -> Bool {
    guard
      UTF16.isLeadSurrogate(lead), position + 8 <= text.count, text[position + 6] == UInt8(ascii: "\\"),
      text[position + 7] == UInt8(ascii: "u"), let trail = codeUnit(in: text, at: position + 8)
    else { return false }
    return UTF16.isTrailSurrogate(trail)
  }

  private mutating func readEscape(in text: Span<UInt8>) throws(JSONError) {
    guard position + 1 < text.count else { throw error(.unexpectedEnd) }
    switch text[position + 1] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      position += 2
    case UInt8(ascii: "u"):
      guard let unit = JSONReader.codeUnit(in: text, at: position + 2) else { throw error(.invalidEscape) }
      // RFC 8259 §8.2 leaves lone surrogates open, and JavaScript writes them where it cuts a string in two: a user
      // agent that ends in one must not keep a session from being revoked. `JSONString` reads them as U+FFFD.
      position += JSONReader.isPair(unit, in: text, at: position) ? 12 : 6
    default: throw error(.invalidEscape)
    }
  }

  /// RFC 3629 §4: no overlong form, no surrogate, nothing above U+10FFFF.
  private mutating func readMultibyteScalar(in text: Span<UInt8>) throws(JSONError) {
    let length: Int
    var second: ClosedRange<UInt8> = 0x80...0xBF
    switch text[position] {
    case 0xC2...0xDF: length = 2
    case 0xE0: (length, second) = (3, 0xA0...0xBF)
    case 0xED: (length, second) = (3, 0x80...0x9F)
    case 0xE1...0xEF: length = 3
    case 0xF0: (length, second) = (4, 0x90...0xBF)
    case 0xF1...0xF3: length = 4
    case 0xF4: (length, second) = (4, 0x80...0x8F)
    default: throw error(.invalidUTF8)
    }
    guard position + length <= text.count, second.contains(text[position + 1]) else { throw error(.invalidUTF8) }
    for offset in 2..<max(length, 2) where text[position + offset] & 0xC0 != 0x80 { throw error(.invalidUTF8) }
    position += length
  }
}

extension JSONReader {
  /// Where the value that stands here lies, whatever it is.
  package mutating func value(in text: Span<UInt8>) throws(JSONError) -> Range<Int> {
    _ = try startOfValue(in: text)
    let start = position
    try skipValue(in: text)
    return start..<position
  }

  /// RFC 8259 §6: `-? (0 | 1-9 digits) (. digits)? ([eE] [+-]? digits)?`. The value is of no interest here.
  mutating func readNumber(in text: Span<UInt8>) throws(JSONError) {
    if peek(in: text) == UInt8(ascii: "-") { position += 1 }
    if peek(in: text) == UInt8(ascii: "0") {
      position += 1
    } else {
      try readDigits(in: text)
    }
    if peek(in: text) == UInt8(ascii: ".") {
      position += 1
      try readDigits(in: text)
    }
    if let byte = peek(in: text), byte | 0x20 == UInt8(ascii: "e") {
      position += 1
      if let sign = peek(in: text), sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { position += 1 }
      try readDigits(in: text)
    }
  }

  private mutating func readDigits(in text: Span<UInt8>) throws(JSONError) {
    let start = position
    while let byte = peek(in: text), byte.isDigit { position += 1 }
    guard position > start else { throw error(.invalidNumber) }
  }
}
