import Logging
import Synchronization
import TestSupport
import Testing

@testable import Receiver

@Suite("Failures are logged without a line for each", .timeLimit(.minutes(1)))
struct ThrottledLogTests {
  /// The pauses that have not ended.
  private final class Pauses: Sendable {
    private let ends = Mutex<[@Sendable () -> Void]>([])

    var count: Int { ends.withLock { $0.count } }

    func begin(_ end: @escaping @Sendable () -> Void) { ends.withLock { $0.append(end) } }

    func endAll() {
      let all = ends.withLock { ends in
        defer { ends = [] }
        return ends
      }
      for end in all { end() }
    }
  }

  private let collector = LogCollector()
  private let pauses = Pauses()

  private func makeLog(over: Logger.Message? = nil) -> ThrottledLog {
    ThrottledLog(collector.logger, over: over) { [pauses] in pauses.begin($0) }
  }

  private var lines: [String] {
    zip(collector.messages, collector.metadata).map { $0 + ($1["count"].map { " \($0)" } ?? "") }
  }

  @Test func `the first at once, then one line a pause, and the last without anything more that comes`() {
    let log = makeLog()
    log.failed("no", ["error": "first"])
    #expect(lines == ["no 1"])
    for error in ["second", "third"] { log.failed("no", count: 2, ["error": "\(error)"]) }
    #expect(lines == ["no 1"] && pauses.count == 1)
    pauses.endAll()
    #expect(lines == ["no 1", "no 4"] && pauses.count == 1)
    #expect(collector.metadata.map { $0["error"]?.description } == ["first", "second"])
    pauses.endAll()
    #expect(lines.count == 2 && pauses.count == 0)
    log.failed("again")
    #expect(lines == ["no 1", "no 4", "again 1"])
  }

  @Test func `the end is told once, and not before a pause passed without a failure`() {
    let log = makeLog(over: "yes")
    log.worked()
    #expect(lines == [])
    log.failed("no")
    log.worked()
    #expect(lines == ["no 1"])
    pauses.endAll()
    #expect(lines == ["no 1", "yes"])
    log.worked()
    #expect(lines.count == 2)
    // A failure behind the success takes it back.
    log.failed("no")
    log.worked()
    log.failed("no")
    pauses.endAll()
    #expect(lines == ["no 1", "yes", "no 1", "no 1"])
    pauses.endAll()
    #expect(lines.count == 4)
    log.worked()
    #expect(lines.last == "yes" && lines.count == 5)
    log.worked()
    #expect(lines.count == 5 && pauses.count == 0)
  }

  @Test func `a count is a number`() {
    makeLog().failed("no", count: 3)
    guard case .stringConvertible(let count)? = collector.metadata.first?["count"] else {
      Issue.record("\(collector.metadata)")
      return
    }
    #expect(count as? Int == 3)
  }
}
