// What is inlinable in this module is public, though no product exposes it: of another module the compiler inlines what
// is public, and calls what is `package`, even where it is inlinable. Heads, events and claims are read with these.

extension Span<UInt8> {
  /// Byte for byte.
  @inlinable
  public func equals(_ text: StaticString) -> Bool {
    guard count == text.utf8CodeUnitCount else { return false }
    for index in indices {
      // A StaticString's UTF-8 lives as long as the process, and `index` is below its count.
      if self[index] != (unsafe text.utf8Start[index]) { return false }
    }
    return true
  }

  /// Byte for byte. A name of its own: a literal would be taken for a `String` instead of a `StaticString`.
  @inlinable
  public func isEqual(to other: Span<UInt8>) -> Bool {
    guard count == other.count else { return false }
    for index in indices where self[index] != other[index] { return false }
    return true
  }

  /// The same, for an array that is a property of a class: its span cannot be lent from there.
  @inlinable
  public func isEqual(to other: [UInt8]) -> Bool { isEqual(to: other.span) }

  /// The first index from `start` on that holds the byte; `count`, or `start` beyond it, where none does.
  @inlinable
  public func firstIndex(of byte: UInt8, from start: Int) -> Int {
    var index = start
    let wanted = UInt64(byte) &* 0x0101_0101_0101_0101
    while index + 8 <= count {
      let difference = word(at: index) ^ wanted
      // The lowest top bit that is set is always right.
      let found = (difference &- 0x0101_0101_0101_0101) & ~difference & 0x8080_8080_8080_8080
      guard found == 0 else { return index + found.trailingZeroBitCount / 8 }
      index += 8
    }
    while index < count, self[index] != byte { index += 1 }
    return index
  }

  /// Eight bytes, the first of them lowest.
  @inlinable @inline(__always)
  public func word(at index: Int) -> UInt64 {
    // Checked against the span's bounds; any eight bytes are a UInt64.
    UInt64(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self))
  }
}

extension UInt8 {
  /// `0` to `9`.
  @inlinable @inline(__always)
  public var isDigit: Bool { self &- 0x30 < 10 }
}

extension Collection<UInt8> {
  /// Whether there is a byte, and each is `0` to `9`. `Int("+4")` succeeds, and what is read by it must not.
  @inlinable
  public var areDigits: Bool { !isEmpty && allSatisfy { $0.isDigit } }
}

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
