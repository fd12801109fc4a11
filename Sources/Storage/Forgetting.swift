internal import Dispatch
package import DynamicEvents
internal import Synchronization

/// How long a revoked session is remembered: `retention` after its creation, because by then its JWTs
/// have expired; plus an hour, because clocks differ.
package struct Retention: Sendable {
  /// A session lives at most 30 days from its first sign-in.
  package static let ofDynamic = Duration.seconds(30 * 86_400)

  package static let day: Int64 = 86_400_000
  private static let skew: Int64 = 3_600_000
  /// Dynamic delivers a message again for 90 days.
  private static let longestRedelivery = 90 * day + skew

  /// In milliseconds, the skew included.
  package let period: Int64
  /// A longer one that was in force until lately, and until when it counts: see `begin`.
  package var former: (period: Int64, until: Timestamp)?

  package init(_ retention: Duration) {
    // A hundred years, so that no sum overflows.
    period = min(max(retention.components.seconds, 0), 36_525 * 86_400) * 1000 + Self.skew
  }

  /// The time from which on the retention of a session counts.
  ///
  /// It is moved ahead where the session would otherwise be forgotten within a day of the delivery: a redelivery up to
  /// 90 days later is answered 200, and from then on the session has to be refused. The day is the next whole one, so
  /// that a delivery that comes again and again changes the row once a day, not each time.
  ///
  /// What cannot be true is taken as missing: a revocation from longer ago than Dynamic keeps a message, a session made
  /// so long before its revocation that it had ended. None is remembered from later than its arrival, since one from
  /// the year 9999 would never be forgotten.
  package func rememberFrom(_ revoked: SessionRevoked, revokedAt: Timestamp, receivedAt: Timestamp) -> Timestamp {
    let isOld = revokedAt.milliseconds < receivedAt.milliseconds - Self.longestRedelivery
    let revocation = isOld ? receivedAt : min(revokedAt, receivedAt)
    let creation = revoked.createdAt.flatMap { $0.milliseconds < revocation.milliseconds - period ? nil : $0 }
    let base = min(creation ?? revocation, receivedAt)
    let nextDay = (receivedAt.milliseconds / Self.day + 1) * Self.day
    return max(base, Timestamp(milliseconds: nextDay + Self.day - period))
  }

  package func expiresAt(rememberedFrom time: Timestamp, at now: Timestamp) -> Timestamp {
    Timestamp(milliseconds: time.milliseconds + period(at: now))
  }

  /// What is remembered from before this time is forgotten now.
  package func horizon(at now: Timestamp) -> Timestamp {
    Timestamp(milliseconds: now.milliseconds - period(at: now))
  }

  private func period(at now: Timestamp) -> Int64 {
    if let former, now < former.until { max(former.period, period) } else { period }
  }
}

/// What one node at a time does for all.
package protocol StoreMaintenance: Sendable {
  /// Takes one step of a pass. Returns where the next one begins; nil at the pass's end, and where the pass is another
  /// node's.
  ///
  /// Sessions go at their expiry. Events go once the deduplication, each of the `handlers` (by name; those that are
  /// configured) and those who look at dead letters are done with them. What a handler that is no longer configured has
  /// not delivered keeps no event, but what it gave up does.
  func prune(_ step: PruneStep, at now: Timestamp, handlers: [String]) throws(StoreError) -> PruneStep?

  /// Takes a duty for so long, or has it for longer. Returns whether this node has it.
  func take(_ duty: SharedDuty, for time: Duration) throws(StoreError) -> Bool

  /// Lets another node take it at once.
  func leave(_ duty: SharedDuty) throws(StoreError)
}

/// What would be wasted, or go wrong, if two nodes did it at once.
package enum SharedDuty: String, Hashable, Sendable, CaseIterable {
  case pruning
  /// Fetching from Dynamic's API what its webhook could not deliver.
  case catchUp = "catch-up"
}

/// Where a pass over what may be forgotten stands. A pass goes through the tables in the order of their numbers, a few
/// rows a step; no index on a time is kept for it, since that would cost ingest and a pass costs it nothing.
package enum PruneStep: Hashable, Sendable {
  case revocations(after: Int64)
  case cutOffs(after: Int64)
  case events(after: Int64)

  package static let first = PruneStep.revocations(after: 0)

  /// Numbers that one step looks through, without holding up the writer: about a millisecond.
  package static let looks = 4096
  /// Rows that one step deletes: a transaction no longer than one of ingest.
  package static let deletes = 128
}

/// Forgets in the background what may be forgotten. Between two steps it rests four times as long as the step took, so
/// that it takes a fifth of the writer's time at most, however much there is to do; between two passes an hour.
package final class Pruner: Sendable {
  private static let rest = DispatchTimeInterval.seconds(3600)
  /// Not to wake for every thousand rows at once.
  private static let shortestPause: Duration = .milliseconds(10)

  private let store: any StoreInspection & StoreMaintenance
  private let handlers: @Sendable () -> [String]
  private let now: @Sendable () -> Timestamp
  private let failed: @Sendable (StoreError) -> Void
  private let queue = DispatchQueue(label: "revoked.pruner", qos: .utility)
  private let isStopped = Atomic(false)

  /// - Parameters:
  ///   - handlers: the names of the handlers that are configured at the moment.
  ///   - failed: called with the error of a step that failed; the pass begins anew after the pause.
  package init(
    store: any StoreInspection & StoreMaintenance, handlers: @escaping @Sendable () -> [String],
    now: @escaping @Sendable () -> Timestamp, failed: @escaping @Sendable (StoreError) -> Void
  ) {
    self.store = store
    self.handlers = handlers
    self.now = now
    self.failed = failed
  }

  /// Begins the first pass.
  package func start() {
    queue.async { [weak self] in self?.take(.first) }
  }

  /// No step begins from now on. One that is under way ends by itself, and its failure is not told.
  package func stop() {
    isStopped.store(true, ordering: .relaxed)
  }

  private func take(_ step: PruneStep) {
    guard !isStopped.load(ordering: .relaxed) else { return }
    let start = ContinuousClock.now
    var next: PruneStep?
    do throws(StoreError) {
      next = try store.prune(step, at: store.tally().believable(now()), handlers: handlers())
    } catch {
      if !isStopped.load(ordering: .relaxed) { failed(error) }
    }
    guard let next else { return schedule(.first, in: Self.rest) }
    let pause = max(start.duration(to: .now) * 4, Self.shortestPause)
    schedule(next, in: .milliseconds(Int(pause / .milliseconds(1))))
  }

  private func schedule(_ step: PruneStep, in pause: DispatchTimeInterval) {
    queue.asyncAfter(deadline: .now() + pause) { [weak self] in self?.take(step) }
  }
}
