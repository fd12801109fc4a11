internal import DynamicEvents

/// A key that rows are found by: sixteen bytes, random or a digest's.
struct IndexKey: Hashable, Sendable {
  private let first: UInt64
  private let second: UInt64

  init(_ session: SessionID) {
    (first, second) = session.bigEndianWords
  }

  init(_ key: EventKey) {
    (first, second) = key.bigEndianWords
  }

  /// From the table's column; `nil` unless there are sixteen bytes.
  init?(bytes: Span<UInt8>) {
    guard bytes.count == 16 else { return nil }
    first = LittleEndianWords.word(at: 0, bytes)
    second = LittleEndianWords.word(at: 8, bytes)
  }

  /// As the table's column has it.
  var bytes: [UInt8] { LittleEndianWords.bytes([first, second]) }

  /// What runs are sorted by. Two keys may share it, but then their second halves differ.
  var hash: UInt64 {
    // Spreads ids that are counted up rather than drawn as well (the finalizer of splitmix64).
    var hash = first &* 0x9E37_79B9_7F4A_7C15 ^ second
    hash = (hash ^ hash >> 30) &* 0xBF58_476D_1CE4_E5B9
    hash = (hash ^ hash >> 27) &* 0x94D0_49BB_1331_11EB
    return hash ^ hash >> 31
  }
}
