internal import Dispatch
internal import Logging
internal import Synchronization

/// Logs failures without a line for each: the first at once, then one line a pause at most, with the number of those
/// that it stands for, and the last no later than a pause after it came. Says once when they are over.
final class ThrottledLog: Sendable {
  fileprivate struct Line {
    let message: Logger.Message
    let metadata: Logger.Metadata
    /// The failures that it stands for.
    var count: Int
  }

  fileprivate struct State {
    /// Waits for the end of the pause.
    var line: Line?
    /// A line was written less than a pause ago.
    var isPausing = false
    /// Something worked since the last failure.
    var works = false
  }

  private let logger: Logger
  private let level: Logger.Level
  private let over: Logger.Message?
  private let afterPause: @Sendable (@escaping @Sendable () -> Void) -> Void
  private let state = Mutex(State())
  /// A failure was logged, and its end was not. Beside the state, because it is asked whenever something works.
  private let hasFailed = Atomic(false)

  /// - Parameters:
  ///   - over: said when it works again; nil: `worked` is never called.
  ///   - pause: between two lines.
  convenience init(
    _ logger: Logger, _ level: Logger.Level = .error, over: Logger.Message? = nil,
    pause: DispatchTimeInterval = .seconds(1)
  ) {
    self.init(logger, level, over: over) { work in
      DispatchQueue.global().asyncAfter(deadline: .now() + pause, execute: work)
    }
  }

  /// - Parameter afterPause: calls a pause later.
  init(
    _ logger: Logger, _ level: Logger.Level = .error, over: Logger.Message? = nil,
    afterPause: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void
  ) {
    self.logger = logger
    self.level = level
    self.over = over
    self.afterPause = afterPause
  }

  /// - Parameter metadata: of the first failure that a line stands for, and made for no other.
  func failed(_ message: Logger.Message, count: Int = 1, _ metadata: @autoclosure () -> Logger.Metadata = [:]) {
    let line = state.withLock { state -> Line? in
      // Within the lock: else the end of an earlier failure might take it back.
      hasFailed.store(true, ordering: .relaxed)
      state.works = false
      if state.line == nil { state.line = Line(message: message, metadata: metadata(), count: 0) }
      state.line?.count += count
      return state.isPausing ? nil : state.takeLine()
    }
    if let line { write(line) }
  }

  /// What comes and goes must not become a flood either: the end is told once a second has passed without a failure.
  func worked() {
    guard hasFailed.load(ordering: .relaxed) else { return }
    let isOver = state.withLock { state in
      state.works = true
      return end(&state)
    }
    if isOver { logEnd() }
  }

  private func pauseEnded() {
    let (line, isOver) = state.withLock { state -> (Line?, Bool) in
      state.isPausing = false
      if let line = state.takeLine() { return (line, false) }
      return (nil, end(&state))
    }
    if let line { write(line) }
    if isOver { logEnd() }
  }

  private func end(_ state: inout State) -> Bool {
    guard state.works, !state.isPausing, hasFailed.load(ordering: .relaxed) else { return false }
    hasFailed.store(false, ordering: .relaxed)
    return true
  }

  private func write(_ line: Line) {
    logger.log(
      level: level, line.message, metadata: line.metadata.merging(["count": .stringConvertible(line.count)]) { $1 })
    afterPause { self.pauseEnded() }
  }

  private func logEnd() {
    if let over { logger.notice(over) }
  }
}

extension ThrottledLog.State {
  /// Begins a pause if there is a line to write.
  fileprivate mutating func takeLine() -> ThrottledLog.Line? {
    guard let line else { return nil }
    self.line = nil
    isPausing = true
    return line
  }
}
