internal import Logging

/// What a lane says of its attempts: of each kind one line a second at most, about the latest, with the number of them
/// all. A handler that fails for a day must not fill the disk with lines; what became of each event stands in the
/// store.
struct LaneLog {
  enum Kind {
    case failed
    case late
    case dead
    case misdated
    case replayed
  }

  private struct State {
    /// Without a line yet.
    var count = 0
    var latest: Logger.Metadata = [:]
    /// When a line may be written; nil: none was.
    var nextLine: Duration?
  }

  private static let pause: Duration = .seconds(1)

  private let logger: Logger
  private var states: [Kind: State] = [:]

  init(_ logger: Logger) {
    self.logger = logger
  }

  /// Takes note. The line comes with `write`.
  mutating func add(_ kind: Kind, _ metadata: Logger.Metadata) {
    states[kind, default: State()].count += 1
    states[kind]?.latest = metadata
  }

  /// Writes the lines whose time has come.
  mutating func write(at now: Duration) {
    for (kind, state) in states where state.count > 0 && state.nextLine ?? now <= now {
      write(kind, state)
      states[kind] = State(nextLine: now + Self.pause)
    }
  }

  /// Writes what is left, at the end.
  mutating func writeRest() {
    for (kind, state) in states where state.count > 0 { write(kind, state) }
    states = [:]
  }

  /// When the next line's time comes.
  var due: Duration? { states.values.filter { $0.count > 0 }.compactMap(\.nextLine).min() }

  private func write(_ kind: Kind, _ state: State) {
    logger.log(
      level: kind.level, kind.message, metadata: state.latest.merging(["count": .stringConvertible(state.count)]) { $1 }
    )
  }
}

extension LaneLog.Kind {
  fileprivate var level: Logger.Level {
    switch self {
    case .failed, .late, .misdated: .warning
    case .dead: .error
    case .replayed: .notice
    }
  }

  fileprivate var message: Logger.Message {
    switch self {
    case .failed: "an attempt failed"
    case .late: "an attempt takes too long and is cancelled"
    case .dead: "an event became a dead letter"
    case .misdated: "retries were further ahead than any pause, as of a clock that was ahead: they are due now"
    case .replayed: "a dead letter that was put back is attempted again"
    }
  }
}
