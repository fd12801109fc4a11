extension RequestHead {
  /// What stands behind the `?` of the target; empty without one. `bytes` are the head's.
  package func query(in bytes: Span<UInt8>) -> Range<Int> {
    let start = path.range.upperBound
    // The request line has been judged: the target ends with a space.
    guard start < bytes.count, bytes[start] == UInt8(ascii: "?") else { return start..<start }
    var end = start + 1
    while end < bytes.count, bytes[end] != UInt8(ascii: " ") { end += 1 }
    return start + 1..<end
  }
}
