internal import Dispatch
internal import Synchronization

/// The bounded queue in front of the store, and its group commit: whatever waits when the writer is free goes into one
/// transaction. An event that no other was with is written at once.
package final class Inbox: Sendable {
  package typealias Completion = @Sendable (Result<[AppendOutcome], StoreError>) -> Void

  private struct Submission {
    let events: [IncomingEvent]
    let bytes: Int
    let completion: Completion
  }

  private struct State {
    /// Oldest first.
    var waiting: [Submission] = []
    /// What waits and what is being written.
    var events = 0
    var bytes = 0
    /// A drain is on its way, or at work.
    var isDraining = false
    var isClosed = false
    /// Events that were answered last, and those that waited already.
    var company = 0
    /// Until then they are waited for; nil: they are not.
    var gathersUntil: ContinuousClock.Instant?
    /// Commits until anybody is waited for again, since none came.
    var pause = 0
    /// The writer waits until so many events are there.
    var wanted: Int?
    /// All commits so far.
    var busy = Duration.zero
  }

  private let store: any EventAppending
  private let limits: InboxLimits
  private let now: @Sendable () -> ContinuousClock.Instant
  private let committed: @Sendable (Commit) -> Void
  private let queue = DispatchQueue(label: "revoked.inbox")
  private let state = Mutex(State())
  private let isComplete = DispatchSemaphore(value: 0)

  /// - Parameter committed: called on the writer's queue after each commit and after its batches' completions: the
  ///   place to wake the dispatcher. Must be brief.
  package init(
    _ store: any EventAppending, limits: InboxLimits = InboxLimits(),
    committed: @escaping @Sendable (Commit) -> Void = { _ in },
    now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
  ) {
    self.store = store
    self.limits = limits
    self.now = now
    self.committed = committed
  }

  /// Takes what a loop collected in one round; never blocks on the disk. `false`: the inbox is full or closed, none of
  /// it was taken, and all of it is to be refused now (503).
  ///
  /// A batch is taken whole while the limits are not reached: what waits may exceed them by one round of each loop, and
  /// an answer never depends on a neighbour's place in the batch.
  ///
  /// `completion` is called exactly once, on the writer's queue and not from within this call, with one outcome per
  /// event, or with the reason why none of them is stored. It is not called when the batch was not taken.
  package func submit(_ batch: [IncomingEvent], completion: @escaping Completion) -> Bool {
    state.withLock { state in
      guard !state.isClosed, state.events < limits.events, state.bytes < limits.bytes else { return false }
      let bytes = batch.reduce(0) { $0 + $1.body.count }
      state.waiting.append(Submission(events: batch, bytes: bytes, completion: completion))
      state.events += batch.count
      state.bytes += bytes
      if !state.isDraining {
        state.isDraining = true
        queue.async { self.drain() }
      }
      if let wanted = state.wanted, state.events >= wanted {
        state.wanted = nil
        isComplete.signal()
      }
      return true
    }
  }

  /// Whether a commit reaches the disk now, asked on the writer's queue: a writer that hangs does not answer.
  package func probe(_ answer: @escaping @Sendable (Result<Void, StoreError>) -> Void) {
    queue.async { [store] in
      do throws(StoreError) {
        answer(.success(try store.probeWritable()))
      } catch {
        answer(.failure(error))
      }
    }
  }

  /// Calls `answer` on the writer's queue, without a write: a writer that hangs does not, one that cannot commit does.
  package func ping(_ answer: @escaping @Sendable () -> Void) {
    queue.async { answer() }
  }

  /// Whether the writer waits for those who were answered just now.
  package var isGathering: Bool { state.withLock { $0.wanted != nil } }

  /// How long the writer's commits took, all together.
  package var busy: Duration { state.withLock { $0.busy } }

  /// Takes no more, finishes what waits, and then calls `done` on the writer's queue. May be called from anywhere.
  package func close(_ done: @escaping @Sendable () -> Void) {
    state.withLock { $0.isClosed = true }
    queue.async { self.finish(done) }
  }

  private func finish(_ done: @escaping @Sendable () -> Void) {
    guard state.withLock({ $0.isDraining }) else { return done() }
    // Behind the drain that is enqueued.
    queue.async { self.finish(done) }
  }

  /// One transaction. The next is enqueued, so that a probe has its turn under any load.
  private func drain() {
    gather()
    guard let submissions = next() else { return }
    let events = submissions.count == 1 ? submissions[0].events : submissions.flatMap { $0.events }
    let start = now()
    let result: Result<[AppendOutcome], StoreError>
    do throws(StoreError) {
      result = .success(try store.append(events))
    } catch {
      result = .failure(error)
    }
    let end = now()
    let commit = Commit(events: events.count, duration: start.duration(to: end))
    // For a part of the commit that they would otherwise wait for.
    release(submissions, after: commit.duration, gatheringUntil: end + min(commit.duration * 3 / 5, limits.gathering))
    answer(submissions, result)
    if case .success = result { committed(commit) }
    queue.async { self.drain() }
  }

  /// Waits a moment for those who were answered just now, if there were a few: clients that send one event after
  /// another come again at once, and would take turns in two commits otherwise. A client that is alone is never held
  /// back. When nobody comes, the next sixteen times nobody is waited for.
  private func gather() {
    let now = now()
    let (end, found) = state.withLock { state -> (ContinuousClock.Instant?, Int) in
      guard let end = state.gathersUntil, now < end, 0 < state.events, state.events < state.company, !state.isClosed
      else { return (nil, 0) }
      state.gathersUntil = nil
      if state.pause > 0 {
        state.pause -= 1
        return (nil, 0)
      }
      state.wanted = state.company
      return (end, state.events)
    }
    guard let end else { return }
    let left = now.duration(to: end) / .nanoseconds(1)
    let isLate = isComplete.wait(timeout: .now() + .nanoseconds(Int(left))) == .timedOut
    let isSignalled = state.withLock { state in
      if state.events == found { state.pause = 16 }
      defer { state.wanted = nil }
      return state.wanted == nil
    }
    // The last one came as the time was up.
    if isLate, isSignalled { isComplete.wait() }
  }

  /// Whole submissions only: a part of one could not be answered before the rest is written. So one that is larger than
  /// a transaction's bound goes alone.
  private func next() -> [Submission]? {
    state.withLock { state in
      var events = 0
      let count = state.waiting.prefix { submission in
        events += submission.events.count
        return events <= limits.transaction
      }.count
      guard !state.waiting.isEmpty else {
        state.isDraining = false
        return nil
      }
      let taken = Array(state.waiting.prefix(max(count, 1)))
      state.waiting.removeFirst(taken.count)
      return taken
    }
  }

  /// Makes room before the answers go out, so that a client that is answered can submit again.
  private func release(
    _ submissions: [Submission], after work: Duration, gatheringUntil end: ContinuousClock.Instant
  ) {
    state.withLock { state in
      state.busy += work
      // Those who are released and those who wait.
      state.company = min(state.events, limits.transaction)
      state.gathersUntil = state.company > 1 && state.company <= limits.company ? end : nil
      for submission in submissions {
        state.events -= submission.events.count
        state.bytes -= submission.bytes
      }
    }
  }

  private func answer(_ submissions: [Submission], _ result: Result<[AppendOutcome], StoreError>) {
    guard case .success(let outcomes) = result else {
      for submission in submissions { submission.completion(result) }
      return
    }
    var rest = outcomes[...]
    for submission in submissions {
      submission.completion(.success(Array(rest.prefix(submission.events.count))))
      rest = rest.dropFirst(submission.events.count)
    }
  }
}

/// How much may wait to be stored, and how much one commit takes.
package struct InboxLimits: Sendable {
  /// Events waiting or being written beyond which no more are taken. At 10,000 a second and more this is about a second
  /// of work, well inside the time that Dynamic waits for an answer. A delivery that comes later is better answered
  /// with a 503 at once.
  package var events = 16_384
  /// Bytes of their bodies, which may be 256 KiB each: a bound on memory.
  package var bytes = 64 << 20
  /// Events in a transaction. The sync it saves is spread over enough of them long before; more would only have the
  /// first wait for the last.
  package var transaction = 512
  /// Beyond so many clients nobody waits for the others: each event's part of a commit is small already.
  package var company = 8
  /// How long a commit waits at most for those who were answered just before it. Clients on the same network come again
  /// sooner, and with a slow disk the wait is to stay unnoticed.
  package var gathering = Duration.milliseconds(2)

  package init() {}
}

/// What the inbox needs of a store.
package protocol EventAppending: Sendable {
  /// Proves that a commit reaches the disk now, by really making one.
  func probeWritable() throws(StoreError)
  /// Stores a batch in one transaction. Returns one outcome per event, in order; when it throws, nothing is stored.
  func append(_ batch: [IncomingEvent]) throws(StoreError) -> [AppendOutcome]
}

/// What became of one delivery. In every case it is durable, and may be answered with 200.
package enum AppendOutcome: Hashable, Sendable {
  case accepted
  /// The event is stored already.
  case duplicate
  /// Stored as a dead letter, now or before.
  case undecodable
}

/// What one successful commit was like, for the metrics.
package struct Commit: Sendable {
  /// Deliveries in it, duplicates included.
  package var events: Int
  package var duration: Duration
}
