/// Base64url as JWTs use it (RFC 7515 §2): the URL alphabet, no padding, and only what an encoder makes.
///
/// Stricter than most readers, which skip line breaks or stray bits: two texts for one value are one too many where a decision hangs on it.
enum Base64URL {
  static func isAlphabet(_ text: Span<UInt8>) -> Bool {
    let values = values
    var seen: UInt8 = 0
    for index in text.indices { seen |= values[Int(text[index])] }
    return seen < 64
  }

  /// `nil` for another byte, for a length that no encoder makes, and when the last digit holds bits of no byte (RFC 4648 §3.5).
  static func decode(_ text: Span<UInt8>) -> [UInt8]? {
    let rest = text.count % 4
    guard rest != 1 else { return nil }
    let values = values
    // Gathered without a branch, and judged at the end.
    var seen: UInt8 = 0
    let bytes = [UInt8](capacity: text.count / 4 * 3 + 2) { bytes in
      func value(at index: Int) -> UInt8 {
        let value = values[Int(text[index])]
        seen |= value
        return value
      }
      var index = 0
      while index + 4 <= text.count {
        let (first, second) = (value(at: index), value(at: index + 1))
        let (third, fourth) = (value(at: index + 2), value(at: index + 3))
        bytes.append(first << 2 | second >> 4)
        bytes.append(second << 4 | third >> 2)
        bytes.append(third << 6 | fourth)
        index += 4
      }
      guard rest > 0 else { return }
      let (first, second) = (value(at: index), value(at: index + 1))
      bytes.append(first << 2 | second >> 4)
      if rest == 2 {
        if second & 0x0F != 0 { seen = .max }
        return
      }
      let third = value(at: index + 2)
      bytes.append(second << 4 | third >> 2)
      if third & 0x03 != 0 { seen = .max }
    }
    return seen < 64 ? bytes : nil
  }

  /// By byte: 0–63, or 255 where it is no digit.
  private static let values: [UInt8] = {
    var values = [UInt8](repeating: .max, count: 256)
    let digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for (value, digit) in digits.utf8.enumerated() { values[Int(digit)] = UInt8(truncatingIfNeeded: value) }
    return values
  }()
}
