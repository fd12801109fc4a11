/// Base64 (RFC 4648 §4 and §5), only to recognise it where hexadecimal was due.
enum Base64 {
  /// Takes either alphabet, padded or not; `nil` for any other byte or a length that no encoder makes.
  static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
    var digits = Array(text)
    let written = digits.count
    while digits.last == UInt8(ascii: "="), written - digits.count < 2 { digits.removeLast() }
    guard digits.count % 4 != 1, written == digits.count || written.isMultiple(of: 4) else { return nil }
    var bytes: [UInt8] = []
    var pending: UInt32 = 0
    var bits = 0
    for digit in digits {
      guard let value = value(of: digit) else { return nil }
      // At most 6 bits are left over from before, so 12 are ever in use.
      pending = (pending << 6 | value) & 0xFFF
      bits += 6
      guard bits >= 8 else { continue }
      bits -= 8
      bytes.append(UInt8(truncatingIfNeeded: pending >> bits))
    }
    return bytes
  }

  private static func value(of digit: UInt8) -> UInt32? {
    switch digit {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(digit - UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(digit - UInt8(ascii: "a")) + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(digit - UInt8(ascii: "0")) + 52
    case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
    case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
    default: nil
    }
  }
}
