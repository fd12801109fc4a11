internal import Foundation

/// How much the random tests do. `REVOKED_LONG=1` makes them a soak, `REVOKED_SEED=N` repeats a run.
package enum LongRun {
  package static let isAsked = ProcessInfo.processInfo.environment["REVOKED_LONG"] == "1"

  /// A seed for a run, printed so that the run can be had again.
  package static func seed(for test: String) -> UInt64 {
    let seed = ProcessInfo.processInfo.environment["REVOKED_SEED"].flatMap(UInt64.init) ?? .random(in: 1...999_999_999)
    print("\(test): REVOKED_SEED=\(seed)")
    return seed
  }
}
