internal import Logging

/// Tells of signature failures without a line for each.
struct ForgeryLog {
  private let logger: Logger
  private let throttle = Throttle()
  private var hasNews = false

  init(_ logger: Logger) {
    self.logger = logger
  }

  mutating func add() {
    hasNews = true
    report(throttle.count())
  }

  /// Called at the end of each round. What is left of a flood waits for the next traffic of any kind.
  mutating func reportRest() {
    if hasNews { report(throttle.rest()) }
  }

  private mutating func report(_ count: Int?) {
    guard let count else { return }
    hasNews = false
    logger.warning(
      "signature missing or wrong; answered 401. If Dynamic sent it, compare the secret with the one in its dashboard",
      metadata: ["count": "\(count)"])
  }
}
