import Testing

@testable import Signature

@Suite("Comparing what may be secret", .timeLimit(.minutes(1)))
struct ConstantTimeTests {
  /// The shortest of many: whatever else the machine does only ever adds.
  private static func time(ofDifferenceAt index: Int) -> Duration {
    let secret = [UInt8](repeating: 0x61, count: 1 << 20)
    var guess = secret
    guess[index] ^= 1
    let times = (0..<50).map { _ in
      let start = ContinuousClock.now
      let isEqual = secret.span.equalsInConstantTime(guess.span)
      let time = start.duration(to: .now)
      #expect(!isEqual)
      return time
    }
    return times.min() ?? .zero
  }

  @Test func `takes as long whether the first byte differs or only the last`() {
    let times = [0, 1 << 19, (1 << 20) - 1].map(Self.time)
    // A comparison that stops at the first difference takes a thousandth at the beginning of a megabyte.
    #expect(times.allSatisfy { $0 * 4 > times[2] && times[2] * 4 > $0 }, "\(times)")
  }

  @Test func `is by the whole of both, whatever their lengths`() {
    let bytes: [UInt8] = [1, 2, 3]
    for (other, isEqual) in [(bytes, true), ([], false), ([1, 2], false), ([1, 2, 3, 0], false), ([0, 2, 3], false)] {
      let there = bytes.span.equalsInConstantTime(other.span)
      let back = other.span.equalsInConstantTime(bytes.span)
      #expect(there == isEqual && back == isEqual, "\(other)")
    }
  }
}
