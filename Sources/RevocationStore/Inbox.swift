internal import Dispatch
internal import Synchronization

/// The bounded queue in front of the store, and its group commit: whatever waits when the writer is free goes into one
/// transaction. A lone event is written at once; no timer holds it back.
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
  }

  private let store: any EventAppending
  private let limits: InboxLimits
  private let committed: @Sendable (Commit) -> Void
  private let queue = DispatchQueue(label: "revoked.inbox", qos: .userInitiated)
  private let state = Mutex(State())

  /// - Parameter committed: called on the writer's queue after each commit and after its batches' completions: the place
  ///   to wake the dispatcher. Must be brief.
  package init(
    _ store: any EventAppending, limits: InboxLimits = InboxLimits(),
    committed: @escaping @Sendable (Commit) -> Void = { _ in }
  ) {
    self.store = store
    self.limits = limits
    self.committed = committed
  }

  /// Takes what a loop collected in one round; never blocks on the disk. Answers how many of the events were taken,
  /// from the first on; the rest did not fit, and is to be refused now (503).
  ///
  /// `completion` is called exactly once, on the writer's queue and not from within this call, with one outcome per
  /// event taken, or with the reason why none of them is stored. It is not called when none was taken.
  package func submit(_ batch: [IncomingEvent], completion: @escaping Completion) -> Int {
    state.withLock { state in
      guard !state.isClosed else { return 0 }
      let (count, bytes) = room(for: batch, state)
      guard count > 0 else { return 0 }
      let events = count == batch.count ? batch : Array(batch.prefix(count))
      state.waiting.append(Submission(events: events, bytes: bytes, completion: completion))
      state.events += count
      state.bytes += bytes
      if !state.isDraining {
        state.isDraining = true
        queue.async { self.drain() }
      }
      return count
    }
  }

  /// Takes no more, finishes what waits, and then calls `done` on the writer's queue. May be called from anywhere.
  package func close(_ done: @escaping @Sendable () -> Void) {
    state.withLock { state in
      state.isClosed = true
      // Enqueued under the lock: behind the drain of every submission that was taken, and no other comes.
      queue.async(execute: done)
    }
  }

  private func room(for batch: [IncomingEvent], _ state: borrowing State) -> (events: Int, bytes: Int) {
    var count = 0
    var bytes = 0
    for event in batch {
      // No overflow: both sums stay below their limits, and a body is in memory already.
      guard state.events + count < limits.events, state.bytes + bytes + event.body.count <= limits.bytes else { break }
      count += 1
      bytes += event.body.count
    }
    return (count, bytes)
  }

  /// On the writer's queue.
  private func drain() {
    while let submissions = next() {
      let events = submissions.count == 1 ? submissions[0].events : submissions.flatMap(\.events)
      let start = ContinuousClock.now
      let result: Result<[AppendOutcome], StoreError>
      do throws(StoreError) {
        result = .success(try store.append(events))
      } catch {
        result = .failure(error)
      }
      let commit = Commit(events: events.count, duration: start.duration(to: .now))
      release(submissions)
      answer(submissions, result)
      if case .success = result { committed(commit) }
    }
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

  /// Makes room before the answers go out, so that who is answered may submit again.
  private func release(_ submissions: [Submission]) {
    state.withLock { state in
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
