import Foundation
import HTTPMessage
import TestSupport
import Testing

@Suite("The production reader and the reference parser agree", .timeLimit(.minutes(2)))
struct DifferentialTests {
  /// More of them, or others, by `FUZZ_COUNT` and `FUZZ_SEED`.
  static let count = ProcessInfo.processInfo.environment["FUZZ_COUNT"].flatMap { Int($0) } ?? 20_000
  static let seed = ProcessInfo.processInfo.environment["FUZZ_SEED"].flatMap { UInt64($0) } ?? 9112

  @Test(arguments: 0..<4)
  func `on mutated requests, whole and cut, within large and small limits`(lane: Int) throws {
    let mutation = Mutation(seeds: try WireCase.loaded.get().map(\.wire))
    var failures = 0
    for number in stride(from: lane, to: Self.count, by: 4) where failures < 10 {
      // Each input has a seed of its own, so that one of a million can be made again alone.
      let seed = Self.seed &+ UInt64(number)
      var random = SplitMix(seed: seed)
      let wire = mutation.input(using: &random)
      let limits = Self.limits(&random)
      let pieces = random.pieces(of: wire, count: Int.random(in: 2...8, using: &random))
      let expected = ReferenceParser.outcomes(wire, limits: limits)
      var readings = [("whole", Reading.outcomes([wire[...]], limits: limits))]
      readings.append(("cut \(pieces.map(\.count))", Reading.outcomes(pieces, limits: limits)))
      if number.isMultiple(of: 16) {
        readings.append(("byte by byte", Reading.outcomes(trickled: wire, limits: limits)))
      }
      for (cut, outcomes) in readings where outcomes != expected {
        failures += 1
        Issue.record(
          """
          seed \(seed), \(cut), head \(limits.headBytes), body \(limits.bodyBytes)
          input: \(Wire.text(of: wire))
          production: \(outcomes)
          reference: \(expected)
          """)
      }
    }
  }

  /// The default ones, or such that short inputs reach them.
  private static func limits(_ random: inout SplitMix) -> MessageLimits {
    var limits = MessageLimits()
    if Int.random(in: 0..<4, using: &random) == 0 {
      limits.headBytes = .random(in: 10...120, using: &random)
      limits.bodyBytes = .random(in: 0...12, using: &random)
    }
    return limits
  }
}
