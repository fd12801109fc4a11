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
    while let byte = peek(in: text), (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
    guard position > start else { throw error(.invalidNumber) }
  }
}
