/// A Bloom filter. The bits of a key lie in one word, so that asking costs one access to memory. A "no" is certain.
struct KeyFilter: Sendable {
  private(set) var words: [UInt64]

  init(keys: Int, bitsPerKey: Int) {
    words = Array(repeating: 0, count: max(1, (keys * bitsPerKey + 63) / 64))
  }

  /// From what was stored; `nil` if there is nothing.
  init?(words: [UInt64]) {
    guard !words.isEmpty else { return nil }
    self.words = words
  }

  mutating func insert(_ hash: UInt64) {
    words[place(of: hash)] |= Self.bits(of: hash)
  }

  func mayContain(_ hash: UInt64) -> Bool {
    let bits = Self.bits(of: hash)
    return words[place(of: hash)] & bits == bits
  }

  /// Grows with the hash: a run, which is sorted, is put in from one end to the other.
  private func place(of hash: UInt64) -> Int {
    Int(hash.multipliedFullWidth(by: UInt64(words.count)).high)
  }

  /// Four of the word's 64, by bits that do not choose the word.
  private static func bits(of hash: UInt64) -> UInt64 {
    let mixed = hash &* 0x9E37_79B9_7F4A_7C15
    return 1 << (mixed >> 58) | 1 << (mixed >> 52 & 63) | 1 << (mixed >> 46 & 63) | 1 << (mixed >> 40 & 63)
  }
}
