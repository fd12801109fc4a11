/// How long a run leaves the store and the processor alone after a piece of work, so that deliveries wait little longer
/// than without it.
///
/// It works a fifth of the time where no deliveries come. The more of its last rest the store worked for them, the
/// longer the next one is: where they come as fast as they can, it works less than a 100th of the time, so that of a
/// hundred deliveries less than one meets a piece of it.
struct Pace {
  /// A disk that hangs for a while is no reason to wait for longer.
  private static let longest = Duration.milliseconds(500)

  /// Whether look-ups wait for the run's end.
  private let isUrgent: Bool
  /// The part of the last rests that the store worked: 0 to 1.
  private var load = 0.0

  init(isUrgent: Bool) {
    self.isUrgent = isUrgent
  }

  func rest(after work: Duration) -> Duration {
    min(max(work * (isUrgent ? 1 : 4 + 196 * load), .milliseconds(1)), Self.longest)
  }

  /// - Parameter busy: how much of it the store worked.
  mutating func rested(_ time: Duration, busy: Duration) {
    // A short rest may fall between two deliveries.
    load = max(min(busy / max(time, .nanoseconds(1)), 1), load / 2)
  }
}
