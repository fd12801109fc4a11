import TestSupport
import Testing

@testable import KeyIndex

@Suite(.timeLimit(.minutes(2))) struct KeyFilterTests {
  @Test(arguments: [1, 2, 63, 64, 1000, 20_000])
  func `no key that is in it is denied`(count: Int) {
    var random = SplitMix(seed: UInt64(count))
    let hashes = [0, .max] + (0..<count).map { _ in random.next() }
    var filter = KeyFilter(keys: hashes.count, bitsPerKey: 6)
    for hash in hashes { filter.insert(hash) }
    #expect(hashes.allSatisfy(filter.mayContain))
  }

  @Test(arguments: [(6, 0.10), (12, 0.02)])
  func `few others are let through`(bits: Int, most: Double) {
    var random = SplitMix(seed: 7)
    var filter = KeyFilter(keys: 50_000, bitsPerKey: bits)
    for _ in 0..<50_000 { filter.insert(random.next()) }
    let wrong = (0..<50_000).count { _ in filter.mayContain(random.next()) }
    #expect(Double(wrong) / 50_000 < most)
  }
}
