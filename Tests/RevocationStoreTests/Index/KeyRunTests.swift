import TestSupport
import Testing

@testable import KeyIndex

@Suite(.timeLimit(.minutes(2))) struct KeyRunTests {
  private static let fences: [[UInt64]] = [
    hashes,
    [], [0], [.max], [7, 7, 7, 7], Array(0...100), (0...100).map { .max - 100 + $0 }, (0..<64).map { 1 << $0 },
    Array(repeating: 0, count: 50) + Array(repeating: .max, count: 50),
    (0..<1000).map { UInt64($0) * (.max / 1000) },
  ]

  private static var hashes: [UInt64] {
    var random = SplitMix(seed: 5)
    return (0..<3000).map { _ in random.next() }.sorted()
  }

  @Test(arguments: fences)
  func `the first block that does not begin before a hash is found, however uneven the hashes are`(fences: [UInt64]) {
    let run = KeyRun(
      id: 1, level: 0, after: 0, lastSeq: 1, fences: fences, filter: KeyFilter(keys: 1, bitsPerKey: 6))
    let asked = [0, 1, 7, 1 << 32, .max - 1, .max] + fences + fences.map { $0 &- 1 } + fences.map { $0 &+ 1 }
    for hash in asked {
      #expect(run.firstFence(notBelow: hash) == fences.firstIndex { $0 >= hash } ?? fences.count)
    }
  }
}
