extension JSONReader {
  /// Enters the array that stands here. `false`, with nothing read, when another value does.
  package mutating func enterArray(in text: Span<UInt8>) throws(JSONError) -> Bool {
    guard try startOfValue(in: text) == UInt8(ascii: "[") else { return false }
    open(isObject: false)
    return true
  }

  /// Whether an element of the array entered last stands next; `false`, and the array is left, at its end.
  package mutating func nextElement(in text: Span<UInt8>) throws(JSONError) -> Bool {
    let isFirst = !isAfterValue
    if try isAtEnd(UInt8(ascii: "]"), in: text) { return false }
    if !isFirst { try expect(UInt8(ascii: ","), in: text) }
    return true
  }

  /// Passes the null that stands here. `false`, with nothing read, when another value does.
  package mutating func null(in text: Span<UInt8>) throws(JSONError) -> Bool {
    guard try startOfValue(in: text) == UInt8(ascii: "n") else { return false }
    try skipValue(in: text)
    return true
  }
}
