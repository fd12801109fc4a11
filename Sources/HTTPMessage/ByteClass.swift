internal import Bytes

/// A set of ASCII bytes as 128 bits: membership is a shift, with no table to load and nothing to initialise.
package struct ByteClass: Sendable {
  let low: UInt64
  let high: UInt64

  @inline(__always)
  package func contains(_ byte: UInt8) -> Bool {
    let word = byte < 64 ? low : high
    return byte < 128 && (word >> UInt64(byte & 63)) & 1 == 1
  }

  /// `tchar` (RFC 9110 §5.6.2): ``!#$%&'*+-.^_`|~``, digits and letters.
  package static let token = ByteClass(low: 0x03ff_6cfa_0000_0000, high: 0x57ff_ffff_c7ff_fffe)

  /// What may stand in a path or query (RFC 3986 §3.3, §3.4): `pchar`, `/` and `?`. `%` is checked by its two digits.
  /// Stricter than most servers, which let `"<>\^`{|}` and `#` pass: proxies disagree on how to re-encode those.
  package static let target = ByteClass(low: 0xafff_ffd2_0000_0000, high: 0x47ff_fffe_87ff_ffff)

  /// A domain name or an IPv4 address: letters, digits, hyphens and dots (RFC 1123 §2.1).
  static let domainName = ByteClass(low: 0x03ff_6000_0000_0000, high: 0x07ff_fffe_07ff_fffe)

  /// `reg-name`, IPv4 and bracketed IPv6 with a port (RFC 3986 §3.2.2). Without `@`: there is no user information in
  /// HTTP. Without `%`: no client percent-encodes a host, and of two readers one may decode it.
  package static let authority = ByteClass(low: 0x2fff_7fd2_0000_0000, high: 0x47ff_fffe_afff_fffe)
}

extension UInt8 {
  /// A field value's byte (RFC 9110 §5.5): visible ASCII, SP, HTAB and obs-text. No other control, no DEL.
  @inline(__always)
  package var isFieldContent: Bool { (self >= 0x20 && self != 0x7f) || self == 0x09 }

  /// The value of a hexadecimal digit, or nil.
  @inline(__always)
  package var hexDigitValue: UInt8? {
    switch self {
    case 0x30...0x39: self &- 0x30
    case 0x41...0x46: self &- 0x37
    case 0x61...0x66: self &- 0x57
    default: nil
    }
  }

  /// ASCII lower case; other bytes unchanged.
  @inline(__always)
  package var lowercased: UInt8 { self &- 0x41 < 26 ? self | 0x20 : self }
}

extension Span<UInt8> {
  /// Equality without regard to ASCII case; `lowercase` is already in lower case.
  package func equals(ignoringCase lowercase: StaticString) -> Bool {
    guard count == lowercase.utf8CodeUnitCount else { return false }
    for index in indices {
      // A StaticString's UTF-8 lives as long as the process, and `index` is below its count.
      if self[index].lowercased != (unsafe lowercase.utf8Start[index]) { return false }
    }
    return true
  }

  /// The bytes without SP and HTAB at both ends (OWS, RFC 9110 §5.6.3).
  package var trimmedRange: Range<Int> {
    var start = 0
    var end = count
    while start < end, self[start] == 0x20 || self[start] == 0x09 { start += 1 }
    while end > start, self[end - 1] == 0x20 || self[end - 1] == 0x09 { end -= 1 }
    return start..<end
  }
}

extension Span<UInt8> {
  /// The first index from `start` on whose byte is no `tchar`, or `count`. Eight bytes at a time: names are of letters
  /// and hyphens.
  @inline(__always)
  func endOfToken(from start: Int) -> Int {
    var index = start
    while index + 8 <= count {
      let word = word(at: index)
      let stops = word.bytesNeitherLetterNorHyphen
      guard stops != 0 else {
        index += 8
        continue
      }
      index += stops.trailingZeroBitCount / 8
      guard ByteClass.token.contains(self[index]) else { return index }
      index += 1
    }
    while index < count, ByteClass.token.contains(self[index]) { index += 1 }
    return index
  }

  /// The first index from `start` on whose byte is no field content, or `count`. Eight bytes at a time: values are most
  /// of a head.
  @inline(__always)
  func endOfFieldContent(from start: Int) -> Int {
    var index = start
    while index + 8 <= count {
      let word = word(at: index)
      let stops = word.bytesBelowSpace | (word ^ 0x7f7f_7f7f_7f7f_7f7f).zeroBytes
      guard stops != 0 else {
        index += 8
        continue
      }
      index += stops.trailingZeroBitCount / 8
      guard self[index] == 0x09 else { return index }
      index += 1
    }
    while index < count, self[index].isFieldContent { index += 1 }
    return index
  }
}

/// Eight bytes, the first of them lowest. In each result a byte's top bit tells; the lowest that is set is always
/// right, and those above it may owe theirs to a carry.
extension UInt64 {
  @inline(__always)
  fileprivate var zeroBytes: UInt64 { (self &- 0x0101_0101_0101_0101) & ~self & 0x8080_8080_8080_8080 }

  /// Exact in every byte: without the top bits nothing carries into the next one.
  @inline(__always)
  fileprivate var bytesNeitherLetterNorHyphen: UInt64 {
    let low = (self | 0x2020_2020_2020_2020) & 0x7f7f_7f7f_7f7f_7f7f
    let fromA = low &+ 0x1f1f_1f1f_1f1f_1f1f
    let aboveZ = low &+ 0x0505_0505_0505_0505
    let notHyphen = (self ^ 0x2d2d_2d2d_2d2d_2d2d) & 0x7f7f_7f7f_7f7f_7f7f &+ 0x7f7f_7f7f_7f7f_7f7f
    return (~fromA | aboveZ) & notHyphen & 0x8080_8080_8080_8080 | self & 0x8080_8080_8080_8080
  }

  @inline(__always)
  fileprivate var bytesBelowSpace: UInt64 { (self &- 0x2020_2020_2020_2020) & ~self & 0x8080_8080_8080_8080 }
}
