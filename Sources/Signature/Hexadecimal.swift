/// Hexadecimal digits as bytes (RFC 4648 §8).
package enum Hexadecimal {
  /// The lower-case digit of the low four bits.
  @inlinable package static func digit(_ nibble: UInt8) -> UInt8 {
    let nibble = nibble & 15
    return nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") + (nibble - 10)
  }

  /// 0–15, or `nil` for anything but `0`–`9` and `a`–`f`: upper case is not what Dynamic sends.
  @inlinable package static func lowerCaseValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    default: nil
    }
  }

  /// The bytes behind an even number of digits of either case; `nil` for anything else.
  static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
    guard text.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    var high: UInt8?
    for byte in text {
      let isUpperCase = (UInt8(ascii: "A")...UInt8(ascii: "F")).contains(byte)
      guard let value = lowerCaseValue(isUpperCase ? byte | 0x20 : byte) else { return nil }
      if let upper = high {
        bytes.append(upper << 4 | value)
        high = nil
      } else {
        high = value
      }
    }
    return bytes
  }
}
