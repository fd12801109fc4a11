internal import Bytes
package import Signature

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

/// The id of a session: `data.id` of a session event, and the `sid` claim of the session's JWT.
///
/// It is read in either case, as every UUID is (RFC 9562 §4), and written in lower case. Whatever compares two ids
/// compares these values, not texts: two spellings of one session must not let it slip through.
public struct SessionID: Hashable, Sendable, LosslessStringConvertible {
  private let value: UUIDBytes

  /// From the 36 characters of the text form, in either case; `nil` for any other.
  public init?(_ text: Span<UInt8>) {
    guard let value = UUIDBytes(uuid: text) else { return nil }
    self.value = value
  }

  /// The same.
  public init?(_ description: String) {
    self.init(description.utf8.span)
  }

  /// From what `bytes` gave; `nil` unless there are 16.
  package init?(bytes: [UInt8]) {
    self.init(bytes: bytes.span)
  }

  /// From what `bytes` gave; `nil` unless there are 16.
  package init?(bytes: Span<UInt8>) {
    guard let value = UUIDBytes(bytes: bytes) else { return nil }
    self.value = value
  }

  /// The 16 bytes, as a store keeps them.
  package var bytes: [UInt8] { value.bytes }

  /// The same as two words that hold them in memory in this order.
  package var bigEndianWords: (UInt64, UInt64) { value.bigEndianWords }

  public var description: String { value.uuidText }

  /// Appends what `description` is, in ASCII.
  package func append(to text: inout [UInt8]) { value.appendUUID(to: &text) }

  /// Takes 36 bytes of room.
  package func append(to text: inout OutputSpan<UInt8>) { value.appendUUID(to: &text) }
}

extension SessionID: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let id = SessionID(try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a session id")
    }
    self = id
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

/// What deliveries are deduplicated by: 16 bytes that stand for the event's id.
///
/// A lower-case UUID stands for itself. Ids that are none occur, so any other text gets the first 16 bytes of its
/// SHA-256, and a body without a usable id those of its own. Two texts are two events: taken for one, the second would
/// not be stored.
package struct EventKey: Hashable, Sendable {
  /// An `eventId` with more bytes than this is not taken for one.
  package static let maximumIDBytes = 256

  private let value: UUIDBytes

  /// From the `eventId`'s value; `nil` when it is empty or too long.
  package init?(eventId: Span<UInt8>) throws(OpenSSLFailure) {
    guard !eventId.isEmpty, eventId.count <= EventKey.maximumIDBytes else { return nil }
    if let uuid = UUIDBytes(lowerCaseUUID: eventId) {
      value = uuid
    } else {
      value = UUIDBytes(try SHA256.digest(of: eventId))
    }
  }

  /// For a body that has no usable `eventId`, or cannot be decoded at all.
  package init(ofBody body: Span<UInt8>) throws(OpenSSLFailure) {
    value = UUIDBytes(try SHA256.digest(of: body))
  }

  /// From what `bytes` gave; `nil` unless there are 16.
  package init?(bytes: [UInt8]) {
    guard let value = UUIDBytes(bytes: bytes.span) else { return nil }
    self.value = value
  }

  /// The `eventId` that stands for this key itself.
  package var uuidText: String { value.uuidText }

  /// The 16 bytes, as a store keeps them.
  package var bytes: [UInt8] { value.bytes }

  /// The same as two words that hold them in memory in this order.
  package var bigEndianWords: (UInt64, UInt64) { value.bigEndianWords }
}
