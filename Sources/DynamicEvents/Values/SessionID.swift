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
