internal import Bytes

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
