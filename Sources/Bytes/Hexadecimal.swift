/// Hexadecimal digits as bytes (RFC 4648 §8).
public enum Hexadecimal {
  /// The lower-case digit of the low four bits. Without a branch, as below.
  @inlinable @inline(__always) public static func digit(_ nibble: UInt8) -> UInt8 {
    let nibble = nibble & 15
    // From 10 on this is 1, and the letters stand 39 behind the digits.
    return UInt8(ascii: "0") &+ nibble &+ (nibble &+ 6) >> 4 &* 39
  }

  /// 0–15, or 255 for anything but `0`–`9` and `a`–`f`: upper case is not what Dynamic sends. Without a branch: the
  /// digits of ids and signatures are random, and a branch that is guessed wrongly costs more than the rest. Callers
  /// gather the values and judge them at the end.
  @inlinable public static func lowerCaseNibble(_ byte: UInt8) -> UInt8 {
    let digit = byte &- UInt8(ascii: "0")
    let letter = byte &- UInt8(ascii: "a")
    return digit < 10 ? digit : letter < 6 ? letter &+ 10 : 255
  }

  /// 0–15, or 255 for anything but a digit of either case, also without a branch.
  @inlinable public static func nibble(_ byte: UInt8) -> UInt8 {
    let digit = byte &- UInt8(ascii: "0")
    // Of all bytes only the letters become lower-case letters by this bit.
    let letter = (byte | 0x20) &- UInt8(ascii: "a")
    return digit < 10 ? digit : letter < 6 ? letter &+ 10 : 255
  }
}
