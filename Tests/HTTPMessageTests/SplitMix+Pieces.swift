import TestSupport

extension SplitMix {
  /// The bytes in order, in `count` pieces cut at random places; some may be empty.
  mutating func pieces(of wire: [UInt8], count: Int) -> [ArraySlice<UInt8>] {
    let cuts = (1..<max(2, count)).map { _ in Int.random(in: 0...wire.count, using: &self) }.sorted()
    return zip([0] + cuts, cuts + [wire.count]).map { wire[$0..<$1] }
  }
}
