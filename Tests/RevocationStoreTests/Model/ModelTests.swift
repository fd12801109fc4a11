import Storage
import TestSupport
import Testing

@testable import RevocationStore

@Suite(.timeLimit(.minutes(LongRun.isAsked ? 240 : 5))) struct ModelTests {
  @Test(arguments: Engine.allCases)
  func `whatever happens in whatever order, the store holds what a plain model says`(_ engine: Engine) throws {
    let first = LongRun.seed(for: "model")
    for seed in first..<first + (LongRun.isAsked ? 1000 : 4) {
      var run = try ModelRun(seed: seed, engine)
      var done: [String] = []
      for _ in 0..<150 {
        done.append(try run.step())
        let stored = try run.stored()
        // One difference makes others: the first is what counts.
        try #require(stored == run.model, "REVOKED_SEED=\(seed), the last steps: \(done.suffix(5))")
      }
    }
  }
}
