/// Changes bytes as a careless or hostile sender would: a byte, a token, a part left out, doubled or moved.
struct Mutator {
  /// What the grammar at hand has a meaning for.
  let tokens: [[UInt8]]

  private static let bytes: [UInt8] = [
    0x00, 0x09, 0x0A, 0x0B, 0x0D, 0x20, 0x22, 0x2B, 0x2C, 0x2D, 0x2F, 0x30, 0x39, 0x3A, 0x3B, 0x5B, 0x5C, 0x5D, 0x61,
    0x7B, 0x7D, 0x7F, 0x80, 0xC2, 0xE2, 0xED, 0xF4, 0xFF,
  ]

  func mutate(_ bytes: inout [UInt8], _ random: inout SplitMix) {
    for _ in 0...random.below(4) {
      let position = random.below(bytes.count + 1)
      let end = min(bytes.count, position + 1 + random.below(16))
      switch random.below(9) {
      case 0: bytes.replaceSubrange(position..<min(end, position + 1), with: [random.pick(Self.bytes)])
      case 1: bytes.replaceSubrange(position..<min(end, position + 1), with: [UInt8(truncatingIfNeeded: random.next())])
      case 2: bytes.insert(random.pick(Self.bytes), at: position)
      case 3: bytes.insert(contentsOf: random.pick(tokens), at: position)
      case 4: bytes.replaceSubrange(position..<end, with: random.pick(tokens))
      case 5: bytes.removeSubrange(position..<end)
      case 6: bytes.insert(contentsOf: Array(bytes[position..<end]), at: random.below(bytes.count + 1))
      case 7 where random.oneIn(4): bytes.removeSubrange(position...)
      default:
        guard position < bytes.count else { continue }
        bytes[position] ^= 1 << UInt8(random.below(8))
      }
    }
  }
}
