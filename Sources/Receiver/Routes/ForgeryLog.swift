internal import Logging

/// One line a second for signature failures, however many there are: the flood must not become a flood of lines.
struct ForgeryLog {
  private let logger: Logger
  private var unreported = 0
  private var nextLine = ContinuousClock.now

  init(_ logger: Logger) {
    self.logger = logger
  }

  mutating func add() {
    unreported += 1
  }

  /// Called at the end of each round. What is left of a flood waits for the next traffic of any kind.
  mutating func report() {
    guard unreported > 0 else { return }
    let now = ContinuousClock.now
    guard now >= nextLine else { return }
    logger.warning(
      "signature missing or wrong; answered 401. If Dynamic sent it, the secret differs: try `revoked verify --explain`",
      metadata: ["count": "\(unreported)"])
    unreported = 0
    nextLine = now + .seconds(1)
  }
}
