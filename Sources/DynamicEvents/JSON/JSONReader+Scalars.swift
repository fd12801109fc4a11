internal import Bytes

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
