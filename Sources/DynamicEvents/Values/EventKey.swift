package import Signature

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
