internal import Synchronization

/// Makes sure that a line got out: for whoever counts it as delivered.
final class LossWatch: Sendable {
  struct LinesLost: Error, CustomStringConvertible {
    let description = "log lines were lost: nobody reads them fast enough"
  }

  private let sink: LogSink
  private let known: Atomic<Int>

  init(_ sink: LogSink) {
    self.sink = sink
    known = Atomic(sink.lostLines)
  }

  /// Throws when any line was lost since the last call: it may have been the caller's. One caller at a time.
  func flush() async throws {
    await sink.flushed()
    let lost = sink.lostLines
    if known.exchange(lost, ordering: .relaxed) != lost { throw LinesLost() }
  }
}
