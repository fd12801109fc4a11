/// SplitMix64 (Steele, Lea, Flood 2014): the same seed gives the same inputs on every machine.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    // Wrapping is the algorithm.
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// The bytes in order, in `count` pieces cut at random places; some may be empty.
  mutating func pieces(of wire: [UInt8], count: Int) -> [ArraySlice<UInt8>] {
    let cuts = (1..<max(2, count)).map { _ in Int.random(in: 0...wire.count, using: &self) }.sorted()
    return zip([0] + cuts, cuts + [wire.count]).map { wire[$0..<$1] }
  }
}
