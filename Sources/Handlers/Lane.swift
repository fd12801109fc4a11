internal import Dispatch
internal import DynamicEvents
internal import Logging
internal import RevocationStore
internal import Synchronization

/// One handler's way through the events: its position in the store, and the retries of what failed.
///
/// The event table itself is the queue. The position moves, and failures become rows, in one transaction after the attempts; a process killed
/// in between offers the same page again. That is at least once, at no cost for ingest.
final class Lane: Sendable {
  /// Events of one page: what a killed process may have to repeat, against one transaction per page.
  private static let pageSize = 64

  let counters: DeliveryCounters
  /// True from the start: a lane that was never run would be a bug, and one that has ended is not ready.
  let isRunning = Atomic(true)
  private let registration: HandlerRegistration
  private let store: RevocationStore
  private let logger: Logger
  private let now: @Sendable () -> Timestamp
  private let cursor: HandlerCursor
  private let signal: AsyncStream<Void>
  private let signaller: AsyncStream<Void>.Continuation
  /// The store's calls block until the disk answers; they must not block the threads that all tasks share.
  private let queue: DispatchQueue

  init(
    _ registration: HandlerRegistration, store: RevocationStore, logger: Logger,
    now: @escaping @Sendable () -> Timestamp
  ) throws(StoreError) {
    var logger = logger
    logger[metadataKey: "handler"] = "\(registration.name)"
    self.logger = logger
    self.registration = registration
    self.store = store
    self.now = now
    counters = DeliveryCounters(name: registration.name)
    cursor = try store.handlerPosition(registering: registration.name, at: now())
    // One pending signal says as much as a hundred.
    (signal, signaller) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    queue = DispatchQueue(label: "revoked.handler.\(registration.name)")
  }

  func wake() { signaller.yield() }

  /// Works until cancelled.
  func run() async {
    var position = cursor.position
    var signals = signal.makeAsyncIterator()
    defer { isRunning.store(false, ordering: .relaxed) }
    while !Task.isCancelled {
      do {
        let retried = try await retryDue()
        let page = try await blocking { [store, position] in
          try store.events(after: position, limit: Self.pageSize)
        }
        if page.end > position {
          try await attempt(page)
          position = page.end
        } else if retried == 0 {
          try await waitForWork(&signals)
        }
      } catch is CancellationError {
        break
      } catch {
        logger.error("the store failed the handler; trying again", metadata: ["error": "\(error)"])
        try? await Task.sleep(for: Backoff.first)
      }
    }
  }

  private func attempt(_ page: EventPage) async throws {
    var failures: [Attempt] = []
    var end = page.end
    var last: Int64?
    for event in page.events {
      // Told to stop: what was attempted is recorded, the rest of the page is for the next start.
      guard !Task.isCancelled, let attempt = try await attemptUnlessStopped(event) else {
        guard let last else { throw CancellationError() }
        end = last
        break
      }
      // Of fresh events only failures need a row: the position says that the others are done.
      if attempt.outcome != .delivered { failures.append(attempt) }
      last = event.seq
    }
    try await blocking { [store, cursor, failures, end] in
      try store.record(failures, handler: cursor.id, advancingTo: end)
    }
  }

  /// nil when the stop came while the handler was at it.
  private func attemptUnlessStopped(_ event: StoredEvent) async throws -> Attempt? {
    guard registration.wants(event.name) else { return Attempt(event: event.seq, at: now(), outcome: .delivered) }
    do {
      return try await attempt(event, failedBefore: 0)
    } catch is CancellationError {
      return nil
    }
  }

  /// How many retries were due.
  private func retryDue() async throws -> Int {
    let time = now()
    let due = try await blocking { [store, cursor] in
      try store.dueDeliveries(handler: cursor.id, at: time, limit: Self.pageSize)
    }
    guard !due.isEmpty else { return 0 }
    var attempts: [Attempt] = []
    for delivery in due where !Task.isCancelled {
      attempts.append(try await attempt(delivery.event, failedBefore: delivery.attempts))
    }
    try await blocking { [store, cursor, attempts] in try store.record(attempts, handler: cursor.id) }
    return due.count
  }

  private func attempt(_ stored: StoredEvent, failedBefore: Int) async throws -> Attempt {
    do {
      try await registration.handler.handle(Event(body: stored.body))
      counters.delivered.wrappingAdd(1, ordering: .relaxed)
      return Attempt(event: stored.seq, at: now(), outcome: .delivered)
    } catch let error as Undeliverable {
      return buried(stored, "\(error)")
    } catch {
      // Cancelled by a stop: no verdict on the event, it is offered again after the next start.
      try Task.checkCancellation()
      let failures = failedBefore + 1
      guard failures < registration.maxAttempts else { return buried(stored, "\(error)") }
      counters.failed.wrappingAdd(1, ordering: .relaxed)
      let pause = Backoff.pause(after: failures, random: .random(in: 0...1))
      let retryAt = Timestamp(milliseconds: now().milliseconds + Int64(pause / .milliseconds(1)))
      logger.warning(
        "an attempt failed",
        metadata: ["seq": "\(stored.seq)", "attempt": "\(failures)", "retryAt": "\(retryAt)", "error": "\(error)"])
      return Attempt(event: stored.seq, at: now(), outcome: .failed(error: "\(error)", retryAt: retryAt))
    }
  }

  private func buried(_ stored: StoredEvent, _ error: String) -> Attempt {
    counters.dead.wrappingAdd(1, ordering: .relaxed)
    logger.error("an event became a dead letter", metadata: ["seq": "\(stored.seq)", "error": "\(error)"])
    return Attempt(event: stored.seq, at: now(), outcome: .dead(error: error))
  }

  /// Until the next commit or the next retry's time, whichever comes first. No polling.
  private func waitForWork(_ signals: inout AsyncStream<Void>.Iterator) async throws {
    let due = try await blocking { [store, cursor] in try store.nextDueAt(handler: cursor.id) }
    let alarm = due.map { due in
      Task { [signaller, now] in
        try await Task.sleep(for: .milliseconds(max(0, due.milliseconds - now().milliseconds)))
        signaller.yield()
      }
    }
    await signals.next(isolation: nil)
    alarm?.cancel()
  }

  private func blocking<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
      queue.async { continuation.resume(with: Result { try work() }) }
    }
  }
}
