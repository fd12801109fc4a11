import Glibc
import Testing

@testable import Signature

@Suite("Comparing what may be secret", .timeLimit(.minutes(1)))
struct ConstantTimeTests {
  /// Of this thread, without what the machine does beside it; the shortest of many, since what is left only ever adds.
  private static func time(ofDifferenceAt index: Int) -> Duration {
    let secret = [UInt8](repeating: 0x61, count: 1 << 20)
    var guess = secret
    guess[index] ^= 1
    let times = (0..<50).map { _ in
      let start = Self.threadTime
      let isEqual = secret.span.equalsInConstantTime(guess.span)
      let time = Self.threadTime - start
      #expect(!isEqual)
      return time
    }
    return times.min() ?? .zero
  }

  private static var threadTime: Duration {
    var time = timespec()
    // One `timespec` is passed and one is filled.
    unsafe _ = clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
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
