extension Span<UInt8> {
  /// The first index from `start` on that needs a look of its own in a JSON string, or `count`: a quote, a backslash, a
  /// control character, or a byte beyond ASCII. Eight bytes at a time: strings are most of a body.
  package func endOfPlainText(from start: Int) -> Int {
    var index = start
    while index + 8 <= count {
      // Checked against the span's bounds; any eight bytes are a UInt64.
      let word = UInt64(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self))
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
  fileprivate var isPlainText: Bool {
    self >= 0x20 && self < 0x80 && self != UInt8(ascii: "\"") && self != UInt8(ascii: "\\")
  }
}
