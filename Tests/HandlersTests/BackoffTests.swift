import Testing

@testable import Handlers

@Suite(.timeLimit(.minutes(1))) struct BackoffTests {
  @Test(arguments: [
    (1, 1.0, Duration.seconds(1)), (2, 1, .seconds(2)), (3, 1, .seconds(4)), (12, 1, .seconds(2048)),
    (13, 1, .seconds(3600)), (14, 1, .seconds(3600)), (Int.max, 1, .seconds(3600)), (1, 0, .zero),
    (Int.max, 0, .zero), (3, 0.5, .seconds(2)), (13, 0.25, .seconds(900)),
    // What no caller should pass still ends in bounds.
    (0, 1, .seconds(1)), (-1, 1, .seconds(1)), (Int.min, 1, .seconds(1)), (1, 2, .seconds(1)), (1, -1, .zero),
  ])
  func `the pause doubles up to an hour, and jitter takes any part of it`(
    attempt: Int, random: Double, pause: Duration
  ) {
    #expect(Backoff.pause(after: attempt, random: random) == pause)
  }
}
