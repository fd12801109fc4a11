/// Base64url as JWTs use it (RFC 7515 §2): the URL alphabet, no padding, and only what an encoder makes.
///
/// Stricter than most readers, which skip line breaks or stray bits: two texts for one value are one too many where a decision hangs on it.
enum Base64URL {
  static func isAlphabet(_ text: Span<UInt8>) -> Bool {
    var flaws: UInt64 = 0
    var index = 0
    while index + 8 <= text.count {
      flaws |= EightDigits(text.word(at: index)).flaws
      index += 8
    }
    return flaws | EightDigits(text.lastWord(from: index)).flaws == 0
  }

  /// `nil` for another byte, for a length that no encoder makes, and when the last digit holds bits of no byte (RFC 4648 §3.5).
  static func decode(_ text: Span<UInt8>) -> [UInt8]? {
    let spare = text.count % 4
    guard spare != 1 else { return nil }
    let count = text.count / 4 * 3 + max(spare - 1, 0)
    // Gathered without a branch, and judged at the end.
    var flaws: UInt64 = 0
    // Eight bytes are written for each eight digits and once more for what is left, six of which count: the last two have room of their own.
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: text.count / 8 * 6 + 8) { buffer, initialized in
      let output = UnsafeMutableRawBufferPointer(buffer)
      var (index, end) = (0, 0)
      while index + 8 <= text.count {
        let digits = EightDigits(text.word(at: index))
        flaws |= digits.flaws
        // `end` is 6 × the words before this one, and the capacity 8 more than 6 × all of them.
        unsafe output.storeBytes(of: digits.bytes, toByteOffset: end, as: UInt64.self)
        (index, end) = (index + 8, end + 6)
      }
      let digits = EightDigits(text.lastWord(from: index))
      flaws |= digits.flaws
      // `end` is 8 less than the capacity.
      unsafe output.storeBytes(of: digits.bytes, toByteOffset: end, as: UInt64.self)
      initialized = count
    }
    guard flaws == 0 else { return nil }
    // The spare bits of the last digit.
    guard spare > 0 else { return bytes }
    let last = EightDigits(text.lastWord(from: text.count - 1)).values & 0xFF
    return last & (spare == 2 ? 0x0F : 0x03) == 0 ? bytes : nil
  }
}

/// Eight digits of base64url at once, the first of them lowest. No sum or difference leaves its byte: the top bits are masked out before.
private struct EightDigits {
  /// 0–63 in each byte, where there is no flaw.
  let values: UInt64
  /// The top bit of each byte that is no digit.
  let flaws: UInt64

  @inline(__always)
  init(_ word: UInt64) {
    let low = word & Self.each(0x7F)
    /// The top bit of each byte that is at least this one.
    @inline(__always) func from(_ byte: UInt8) -> UInt64 { low &+ Self.each(0x80 - byte) }
    @inline(__always) func only(_ byte: UInt8) -> UInt64 { ~((low ^ Self.each(byte)) &+ Self.each(0x7F)) }
    /// `byte` wherever the top bit is set.
    @inline(__always) func select(_ tops: UInt64, _ byte: UInt8) -> UInt64 {
      ((tops &<< 1) &- (tops &>> 7)) & Self.each(byte)
    }
    let tops = Self.each(0x80)
    let upper = from(0x41) & ~from(0x5B) & tops
    let lower = from(0x61) & ~from(0x7B) & tops
    let number = from(0x30) & ~from(0x3A) & tops
    let hyphen = only(0x2D) & tops
    let underscore = only(0x5F) & tops
    // A–Z are 0–25, a–z 26–51, 0–9 52–61, - 62, _ 63.
    values =
      low &- select(upper, 0x41) &- select(lower, 0x47) &+ select(number, 0x04) &+ select(hyphen, 0x11)
      &- select(underscore, 0x20)
    flaws = (~(upper | lower | number | hyphen | underscore) | word) & tops
  }

  /// The six bytes that the digits stand for, in memory in their order; the two behind them are 0.
  var bytes: UInt64 {
    // The first digit highest; then pairs of 12 bits, of 24, and one of 48.
    let digits = values.byteSwapped
    let twelves = digits & 0x003F_003F_003F_003F | (digits & 0x3F00_3F00_3F00_3F00) &>> 2
    let twentyFours = twelves & 0x0000_0FFF_0000_0FFF | (twelves & 0x0FFF_0000_0FFF_0000) &>> 4
    return (twentyFours &<< 16 & 0x0000_00FF_FFFF_0000 | (twentyFours &>> 32) &<< 40).bigEndian
  }

  @inline(__always)
  private static func each(_ byte: UInt8) -> UInt64 { UInt64(byte) &* 0x0101_0101_0101_0101 }
}

extension Span<UInt8> {
  /// The first index from `start` on that holds the byte, or `count`.
  func firstIndex(of byte: UInt8, from start: Int) -> Int {
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

  @inline(__always)
  fileprivate func word(at index: Int) -> UInt64 {
    // Checked against the span's bounds; any eight bytes are a UInt64.
    UInt64(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self))
  }

  /// The bytes from `start` on, seven at most, and digits that stand for 0 behind them.
  fileprivate func lastWord(from start: Int) -> UInt64 {
    var word: UInt64 = 0x4141_4141_4141_4141
    for index in start..<count {
      let shift = UInt64(8 * (index - start))
      word = word & ~(0xFF &<< shift) | UInt64(self[index]) &<< shift
    }
    return word
  }
}
