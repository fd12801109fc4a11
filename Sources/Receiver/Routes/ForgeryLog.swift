internal import Logging

/// Tells of signature failures without a line for each: one a second at most. A loop has one of its own, so that no forged request waits for a
/// lock, and looks at the clock once a round.
final class ForgeryLog {
  private let logger: Logger
  private var untold = 0
  private var nextLine: ContinuousClock.Instant?

  init(_ logger: Logger) {
    self.logger = logger
  }

  func add() { untold += 1 }

  /// What is left of a flood waits for the next traffic of any kind.
  func roundEnded(at time: @autoclosure () -> ContinuousClock.Instant = .now) {
    guard untold > 0 else { return }
    let now = time()
    if let nextLine, now < nextLine { return }
    nextLine = now + .seconds(1)
    logger.warning(
      "signature missing or wrong; answered 401. If Dynamic sent it, compare the secret with the one in its dashboard",
      metadata: ["count": "\(untold)"])
    untold = 0
  }
}
