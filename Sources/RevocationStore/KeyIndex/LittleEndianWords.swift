/// Words of eight bytes as a BLOB holds them.
enum LittleEndianWords {
  static func word(at start: Int, _ bytes: Span<UInt8>) -> UInt64 {
    // The bounds are checked, and any eight bytes are a word.
    unsafe UInt64(littleEndian: bytes.bytes.unsafeLoadUnaligned(fromByteOffset: start, as: UInt64.self))
  }

  /// `nil` unless there are whole words.
  static func words(_ bytes: Span<UInt8>) -> [UInt64]? {
    guard bytes.count.isMultiple(of: 8) else { return nil }
    return stride(from: 0, to: bytes.count, by: 8).map { word(at: $0, bytes) }
  }

  static func bytes(_ words: some Collection<UInt64>) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(words.count * 8)
    for word in words {
      for index in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(8 * index))) }
    }
    return bytes
  }
}
