internal import Bytes

/// Base64url as JWTs use it (RFC 7515 §2): the URL alphabet, no padding, and only what an encoder makes.
///
/// Stricter than most readers, which skip line breaks or stray bits: two texts for one value are one too many where a
/// decision hangs on it.
package enum Base64URL {
  package static func isAlphabet(_ text: Span<UInt8>) -> Bool {
    let digits = Digits()
    var seen: UInt64 = 0
    var index = 0
    while index + 8 <= text.count {
      seen |= digits.bits(of: text.word(at: index))
      index += 8
    }
    return Digits.areAll(seen | digits.bits(of: text.lastWord(from: index)))
  }

  /// `nil` for another byte, for a length that no encoder makes, and when the last digit holds bits of no byte (RFC
  /// 4648 §3.5).
  package static func decode(_ text: Span<UInt8>) -> [UInt8]? {
    let spare = text.count % 4
    guard spare != 1 else { return nil }
    let count = text.count / 4 * 3 + max(spare - 1, 0)
    let digits = Digits()
    // Gathered without a branch, and judged at the end.
    var seen: UInt64 = 0
    // Eight bytes are written for each eight digits and once more for what is left, six of which count: the last two
    // have room of their own.
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: text.count / 8 * 6 + 8) { buffer, initialized in
      let output = UnsafeMutableRawBufferPointer(buffer)
      var (index, end) = (0, 0)
      while index + 8 <= text.count {
        let bits = digits.bits(of: text.word(at: index))
        seen |= bits
        // `end` is 6 × the words before this one, and the capacity 8 more than 6 × all of them.
        unsafe output.storeBytes(of: (bits &<< 16).bigEndian, toByteOffset: end, as: UInt64.self)
        (index, end) = (index + 8, end + 6)
      }
      let bits = digits.bits(of: text.lastWord(from: index))
      seen |= bits
      // `end` is 8 less than the capacity.
      unsafe output.storeBytes(of: (bits &<< 16).bigEndian, toByteOffset: end, as: UInt64.self)
      initialized = count
    }
    guard Digits.areAll(seen) else { return nil }
    // The spare bits of the last digit: of a byte that is not there.
    guard spare > 0 else { return bytes }
    let last = digits.bits(of: text.lastWord(from: text.count - 1)) &>> 42
    return last & (spare == 2 ? 0x0F : 0x03) == 0 ? bytes : nil
  }

  /// What eight digits stand for. A table for each place of four: a load and an OR each, where shifting and judging
  /// would cost more.
  private struct Digits {
    private let tables = Base64URL.tables

    /// Eight digits, the first of them lowest, to 48 bits, the first digit's highest. The top bit is set if one of the
    /// bytes is no digit.
    @inline(__always)
    func bits(of word: UInt64) -> UInt64 {
      // Each index is below 4 × 256, and so many entries there are.
      unsafe tables.withUnsafeBufferPointer { tables in
        @inline(__always) func four(_ word: UInt64) -> UInt64 {
          unsafe tables[Int(word & 0xFF)] | tables[256 + Int(word &>> 8 & 0xFF)] | tables[512 + Int(word &>> 16 & 0xFF)]
            | tables[768 + Int(word &>> 24 & 0xFF)]
        }
        let (first, second) = (four(word), four(word &>> 32))
        return first &<< 24 | second | (first | second) & Base64URL.flaw
      }
    }

    static func areAll(_ bits: UInt64) -> Bool { bits & Base64URL.flaw == 0 }
  }

  private static let flaw: UInt64 = 1 << 63

  /// By place and byte: the digit's six bits where they belong among 24, or `flaw`.
  private static let tables: [UInt64] = {
    var tables = [UInt64](repeating: flaw, count: 4 * 256)
    let digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for (value, digit) in digits.utf8.enumerated() {
      for place in 0..<4 { tables[place * 256 + Int(digit)] = UInt64(value) << UInt64(18 - 6 * place) }
    }
    return tables
  }()
}

extension Span<UInt8> {
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
