import Foundation
import Testing

/// A bounded number of inputs from a fixed seed, so that a run in CI is the same run everywhere.
///
/// `REVOKED_FUZZ_INPUTS` sets another number of inputs for each test, and `REVOKED_FUZZ_SEED` another seed. Each input
/// has a seed of its own, that of the run plus its index: a failure names it, and `REVOKED_FUZZ_SEED=…
/// REVOKED_FUZZ_INPUTS=1` repeats it alone. A trap ends the process before it can name anything: `REVOKED_FUZZ_TRACE=1`
/// prints each seed beforehand.
enum FuzzRun {
  /// `check` makes one input from `random` and says what is wrong with it.
  static func inputs(
    _ count: Int, check: (_ random: inout SplitMix) throws -> (input: [UInt8], violation: String?),
    sourceLocation: SourceLocation = #_sourceLocation
  ) rethrows {
    let environment = ProcessInfo.processInfo.environment
    let count = environment["REVOKED_FUZZ_INPUTS"].flatMap { Int($0) } ?? count
    let first = environment["REVOKED_FUZZ_SEED"].flatMap { UInt64($0) } ?? 1
    let isTraced = environment["REVOKED_FUZZ_TRACE"] != nil
    var failures = 0
    for seed in (0..<UInt64(count)).lazy.map({ first &+ $0 }) {
      if isTraced { FileHandle.standardError.write(Data("seed \(seed)\n".utf8)) }
      var random = SplitMix(seed: seed)
      let (input, violation) = try check(&random)
      guard let violation else { continue }
      Issue.record("seed \(seed): \(violation)\ninput: \(input.escaped)", sourceLocation: sourceLocation)
      failures += 1
      // One fault shows in many inputs: a few are enough to find it by.
      if failures == 3 { return }
    }
  }
}
