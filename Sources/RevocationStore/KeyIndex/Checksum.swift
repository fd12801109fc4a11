/// Tells bytes that are as they were written from those that a disk has changed. No defence against somebody who can write to the file.
enum Checksum {
  /// - Parameter seed: what belongs to the bytes, such as their place: elsewhere they are wrong.
  static func of(_ bytes: Span<UInt8>, seed: UInt64) -> UInt64 {
    // Only whole words are ever written, so that any other count is wrong by itself.
    var sum = mix(seed ^ UInt64(bytes.count))
    // Each step can be undone, so that one that differs makes the end differ, whatever follows.
    for start in stride(from: 0, to: bytes.count & ~7, by: 8) {
      sum = mix(sum ^ LittleEndianWords.word(at: start, bytes))
    }
    return sum
  }

  private static func mix(_ word: UInt64) -> UInt64 {
    let product = word &* 0x9E37_79B9_7F4A_7C15
    return product ^ product >> 32
  }
}
