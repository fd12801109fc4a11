import Logging
import TestSupport
import Testing

@testable import Receiver

@Suite("Forgeries are told of without a line for each")
struct ForgeryLogTests {
  @Test("the first at once, then one line a second at most, and every one of them is counted")
  func throttled() {
    let collector = LogCollector()
    let log = ForgeryLog(collector.logger)
    let start = ContinuousClock.now
    log.roundEnded(at: start)
    #expect(collector.metadata.isEmpty)
    for (milliseconds, forgeries, lines) in [
      (0, 1, ["1"]), (1, 3, ["1"]), (999, 2, ["1"]), (1000, 0, ["1", "5"]), (1001, 0, ["1", "5"]),
      (5000, 4, ["1", "5", "4"]), (9000, 0, ["1", "5", "4"]),
    ] {
      for _ in 0..<forgeries { log.add() }
      log.roundEnded(at: start + .milliseconds(milliseconds))
      #expect(collector.metadata.map { $0["count"]?.description } == lines, "after \(milliseconds) ms")
    }
  }
}
