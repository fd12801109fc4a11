/// SplitMix64 (Steele, Lea, Flood 2014): one number seeds it, and the same seed gives the same bytes on every machine.
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }

  /// 0 to `bound` - 1; 0 when there is nothing to choose from. The bias of `%` does no harm here.
  mutating func below(_ bound: Int) -> Int { bound > 1 ? Int(next() >> 1) % bound : 0 }

  /// Once in `count` times.
  mutating func oneIn(_ count: Int) -> Bool { below(count) == 0 }

  mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }
}
