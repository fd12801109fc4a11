internal import Bytes
internal import Signature

/// Sixteen bytes that a UUID text stands for: one word compare each way, no allocation.
package struct UUIDBytes: Hashable, Sendable {
  package let high: UInt64
  package let low: UInt64

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// The text form of a UUID in either case (RFC 9562 §4); version and variant are not looked at.
  package init?(uuid text: Span<UInt8>) {
    self.init(text) { Hexadecimal.nibble($0) }
  }

  /// The same in lower case alone, `^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`: the text is then
  /// the one that `uuidText` gives back.
  package init?(lowerCaseUUID text: Span<UInt8>) {
    self.init(text) { Hexadecimal.lowerCaseNibble($0) }
  }

  @inline(__always)
  private init?(_ text: Span<UInt8>, _ nibble: (UInt8) -> UInt8) {
    guard text.count == 36 else { return nil }
    var words: (UInt64, UInt64) = (0, 0)
    var seen: UInt8 = 0
    for position in 0..<36 {
      switch position {
      case 8, 13, 18, 23:
        guard text[position] == UInt8(ascii: "-") else { return nil }
      default:
        let value = nibble(text[position])
        seen |= value
        // The sixteenth digit is the last before the hyphen at 18.
        if position < 18 { words.0 = words.0 << 4 | UInt64(value) } else { words.1 = words.1 << 4 | UInt64(value) }
      }
    }
    guard seen < 16 else { return nil }
    (high, low) = words
  }

  package init?(bytes: Span<UInt8>) {
    guard bytes.count == 16 else { return nil }
    var words: (UInt64, UInt64) = (0, 0)
    for index in 0..<8 {
      words.0 = words.0 << 8 | UInt64(bytes[index])
      words.1 = words.1 << 8 | UInt64(bytes[index + 8])
    }
    (high, low) = words
  }

  /// The first half of a digest.
  init(_ digest: Digest) {
    var words: (UInt64, UInt64) = (0, 0)
    for index in 0..<8 {
      words.0 = words.0 << 8 | UInt64(digest.bytes[index])
      words.1 = words.1 << 8 | UInt64(digest.bytes[index + 8])
    }
    (high, low) = words
  }

  /// The sixteen bytes as two words that hold them in memory in this order.
  package var bigEndianWords: (UInt64, UInt64) { (high.bigEndian, low.bigEndian) }

  var bytes: [UInt8] {
    [high, low].flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * $0)) } }
  }

  package var uuidText: String {
    var text: [UInt8] = []
    text.reserveCapacity(36)
    appendUUID(to: &text)
    return String(decoding: text, as: UTF8.self)
  }

  package func appendUUID(to text: inout [UInt8]) {
    text.append(addingCapacity: 36) { appendUUID(to: &$0) }
  }

  /// Takes 36 bytes of room.
  package func appendUUID(to text: inout OutputSpan<UInt8>) {
    for digit in 0..<32 {
      if digit == 8 || digit == 12 || digit == 16 || digit == 20 { text.append(UInt8(ascii: "-")) }
      let word = digit < 16 ? high : low
      text.append(Hexadecimal.digit(UInt8(truncatingIfNeeded: word >> (60 - 4 * (digit % 16)))))
    }
  }
}
