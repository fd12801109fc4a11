/// Base64url as JWTs use it (RFC 7515 §2): the URL alphabet, no padding, and only what an encoder makes.
///
/// Stricter than most readers, which skip line breaks or stray bits: two texts for one value are one too many where a decision hangs on it.
enum Base64URL {
  static func isAlphabet(_ text: Span<UInt8>) -> Bool {
    for index in text.indices where value(of: text[index]) == nil { return false }
    return true
  }

  /// `nil` for another byte, for a length that no encoder makes, and when the last digit holds bits of no byte (RFC 4648 §3.5).
  static func decode(_ text: Span<UInt8>) -> [UInt8]? {
    guard text.count % 4 != 1 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count / 4 * 3 + 2)
    var pending: UInt32 = 0
    var bits = 0
    for index in text.indices {
      guard let value = value(of: text[index]) else { return nil }
      // At most 6 bits are left over from before, so 12 are ever in use.
      pending = (pending << 6 | UInt32(value)) & 0xFFF
      bits += 6
      guard bits >= 8 else { continue }
      bits -= 8
      bytes.append(UInt8(truncatingIfNeeded: pending >> UInt32(bits)))
    }
    guard pending & ((1 << UInt32(bits)) - 1) == 0 else { return nil }
    return bytes
  }

  private static func value(of digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): digit - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0") + 52
    case UInt8(ascii: "-"): 62
    case UInt8(ascii: "_"): 63
    default: nil
    }
  }
}
