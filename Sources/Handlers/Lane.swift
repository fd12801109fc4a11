internal import Dispatch
internal import DynamicEvents
internal import Logging
internal import RevocationStore
internal import Synchronization

/// One handler's way through the events: its position in the store, and the retries of what failed.
///
/// The event table itself is the queue. The position moves, and failures become rows, in one transaction for many attempts; a process killed
/// in between offers the same events again. That is at least once, at no cost for ingest.
///
/// Everything is driven by five events (woken, read, ended, recorded, alarm), each of which ends in `step`. Nothing polls.
actor Lane {
  /// Events read at a time. Together with 4 MiB of bodies for fresh ones and for retries each, a lane's memory.
  private static let pageSize = 64
  /// Once so many would be repeated after a kill, the running attempts before them get rows of their own and the position moves on.
  private static let mostRepeated = 64
  /// Results that wait for the disk; beyond them no attempt begins.
  private static let mostUnrecorded = 1024
  /// Between two transactions of a lane there are at least 20 ms, and ten times what the last one took: however many events come, a lane has
  /// less than a tenth of the store's writer, the rest is for ingest. A lone event is recorded at once.
  private static let shortestPause: Duration = .milliseconds(20)
  private static let longestPause: Duration = .seconds(1)

  private struct Running {
    let item: LaneWork.Item
    let task: Task<Void, Never>
    let executor: LaneExecutor
    let deadline: Duration
    let timeout: Duration
    var hasRow: Bool
    var timedOut = false
  }

  nonisolated let counters: DeliveryCounters
  /// True from the start: a lane that was never run would be a bug, and one that has ended is not ready.
  nonisolated let isRunning = Atomic(true)
  private nonisolated let isWoken = Atomic(false)
  private var registration: HandlerRegistration
  private let store: RevocationStore
  private let logger: Logger
  private let clock: LaneClock
  private let random: @Sendable () -> Double
  private let handler: Int64
  /// The store's calls block until the disk answers; they must not block the threads that all tasks share.
  private let queue: DispatchQueue

  private var window: LaneWindow
  private var recorded: Int64
  private var work = LaneWork()
  private var running: [Int64: Running] = [:]
  private var executors: [LaneExecutor] = []
  private var results: [Int64: Attempt] = [:]
  /// Begun before a stop, without a verdict.
  private var interrupted: [LaneWork.Item] = []
  /// Reading and recording never overlap, so that what is read is never older than what is known.
  private var isBusy = false
  private var mayHaveFresh = true
  private var mayHaveDue = true
  private var nextDue: Timestamp?
  private var nextRecord = Duration.zero
  private var storeFailures = 0
  private var storeRetry = Duration.zero
  private var alarm: (time: Duration, task: Task<Void, Never>)?
  private var isStopping = false
  private var stopped: [CheckedContinuation<Void, Never>] = []

  init(
    _ registration: HandlerRegistration, store: RevocationStore, logger: Logger, clock: LaneClock,
    random: @escaping @Sendable () -> Double
  ) throws(StoreError) {
    var logger = logger
    logger[metadataKey: "handler"] = "\(registration.name)"
    self.logger = logger
    self.registration = registration
    self.store = store
    self.clock = clock
    self.random = random
    counters = DeliveryCounters(name: registration.name)
    let cursor = try store.handlerPosition(registering: registration.name, at: clock.now())
    handler = cursor.id
    recorded = cursor.position
    window = LaneWindow(position: cursor.position)
    queue = DispatchQueue(label: "revoked.handler.\(registration.name)")
  }

  /// There may be something to do. Cheap, and may be called from any thread.
  nonisolated func wake() {
    // One that is under way says as much as a hundred.
    if !isWoken.exchange(true, ordering: .acquiringAndReleasing) { Task { await woken() } }
  }

  /// From the next attempt on, this counts. The name stays.
  func update(_ registration: HandlerRegistration) {
    self.registration = registration
    step()
  }

  /// Begins no attempt, cancels those that run, and returns when none runs and what ended is recorded.
  func stop() async {
    if !isRunning.load(ordering: .relaxed) { return }
    isStopping = true
    work.clear()
    for run in running.values { run.task.cancel() }
    await withCheckedContinuation { continuation in
      stopped.append(continuation)
      step()
    }
  }

  private func woken() {
    isWoken.store(false, ordering: .releasing)
    mayHaveFresh = true
    mayHaveDue = true
    step()
  }

  private func step() {
    guard isRunning.load(ordering: .relaxed) else { return }
    begin()
    cancelOverdue()
    if let due = nextDue, due <= clock.now() {
      nextDue = nil
      mayHaveDue = true
    }
    if !isBusy, isStopping || storeFailures == 0 || clock.uptime() >= storeRetry {
      if mayRecord { record() } else { read() }
    }
    finishIfStopped()
    setAlarm()
  }

  // MARK: Attempts

  private func begin() {
    guard !isStopping, storeFailures == 0 else { return }
    while running.count < registration.concurrency, window.repeatable + results.count < Self.mostUnrecorded,
      let item = work.next()
    {
      guard registration.wants(item.event.name) else {
        pass(item)
        continue
      }
      let executor = executors.popLast() ?? LaneExecutor(label: "revoked.handler.\(registration.name).attempt")
      let task = Task.detached(executorPreference: executor) { [registration] in
        let verdict = await Verdict(of: registration.handler, body: item.event.body)
        await self.ended(item.event.seq, verdict)
      }
      running[item.event.seq] = Running(
        item: item, task: task, executor: executor, deadline: clock.uptime() + registration.timeout,
        timeout: registration.timeout, hasRow: item.hasRow)
    }
  }

  /// Not wanted, or not any more.
  private func pass(_ item: LaneWork.Item) {
    if item.hasRow { results[item.event.seq] = attempt(item, .delivered) }
    window.finish(item.event.seq)
  }

  private func ended(_ event: Int64, _ verdict: Verdict) {
    guard let run = running.removeValue(forKey: event) else { return }
    if executors.count < registration.concurrency { executors.append(run.executor) }
    judge(run, verdict)
    step()
  }

  private func judge(_ run: Running, _ verdict: Verdict) {
    let item = run.item
    let outcome: Attempt.Outcome
    switch verdict {
    case .delivered:
      counters.delivered.wrappingAdd(1, ordering: .relaxed)
      outcome = .delivered
    case .undeliverable(let error):
      outcome = buried(item, error)
    case .failed where isStopping && !run.timedOut:
      // Cancelled by the stop: no verdict on the event, it is offered again after the next start.
      interrupted.append(item)
      return
    case .failed(let error, let pause):
      outcome = failed(item, run.timedOut ? "timed out after \(run.timeout)" : error, pause)
    }
    // Of fresh events only failures need a row: the position says that the others are done.
    if run.hasRow || outcome != .delivered { results[item.event.seq] = attempt(item, outcome) }
    window.finish(item.event.seq)
  }

  private func failed(_ item: LaneWork.Item, _ error: String, _ pause: Duration?) -> Attempt.Outcome {
    let number = item.failedBefore + 1
    guard number < registration.maxAttempts else { return buried(item, error) }
    counters.failed.wrappingAdd(1, ordering: .relaxed)
    // A peer that asks for more than the longest pause would hide the event from whoever watches.
    let asked = min(pause ?? .zero, Backoff.longest)
    let wait = max(asked, Backoff.pause(after: number, random: random()))
    let retryAt = Timestamp(milliseconds: clock.now().milliseconds + Int64(wait / .milliseconds(1)))
    logger.warning(
      "an attempt failed",
      metadata: ["seq": "\(item.event.seq)", "attempt": "\(number)", "retryAt": "\(retryAt)", "error": "\(error)"])
    return .failed(error: error, retryAt: retryAt)
  }

  private func buried(_ item: LaneWork.Item, _ error: String) -> Attempt.Outcome {
    counters.dead.wrappingAdd(1, ordering: .relaxed)
    logger.error(
      "an event became a dead letter",
      metadata: ["seq": "\(item.event.seq)", "attempt": "\(item.failedBefore + 1)", "error": "\(error)"])
    return .dead(error: error)
  }

  private func attempt(_ item: LaneWork.Item, _ outcome: Attempt.Outcome) -> Attempt {
    Attempt(event: item.event.seq, number: item.failedBefore + 1, at: clock.now(), outcome: outcome)
  }

  private func cancelOverdue() {
    let now = clock.uptime()
    for (event, run) in running where !run.timedOut && run.deadline <= now {
      running[event]?.timedOut = true
      run.task.cancel()
      logger.warning(
        "an attempt takes too long and was told to stop",
        metadata: ["seq": "\(event)", "attempt": "\(run.item.failedBefore + 1)", "timeout": "\(run.timeout)"])
    }
  }

  // MARK: The store

  private func read() {
    guard !isStopping else { return }
    // Before the last is begun, so that no attempt waits for a read.
    let wantsFresh = mayHaveFresh && work.freshCount < Self.pageSize / 4
    let wantsDue = mayHaveDue && work.dueCount == 0
    guard wantsFresh || wantsDue else { return }
    if wantsFresh { mayHaveFresh = false }
    if wantsDue {
      mayHaveDue = false
      // The answer tells of all but those in hand, of which `record` tells.
      nextDue = nil
    }
    let inHand = wantsDue ? Set(running.keys).union(results.keys) : []
    isBusy = true
    Task { [store, handler, end = window.end, now = clock.now()] in
      let result = await onQueue { () throws(StoreError) in
        let due =
          try wantsDue
          ? store.dueDeliveries(handler: handler, at: now, limit: Self.pageSize, excluding: inHand) : nil
        return (try wantsFresh ? store.events(after: end, limit: Self.pageSize) : nil, due)
      }
      isBusy = false
      switch result {
      case .success(let (page, due)):
        take(page, due)
        storeFailures = 0
      case .failure(let error):
        mayHaveFresh = mayHaveFresh || wantsFresh
        mayHaveDue = mayHaveDue || wantsDue
        failed(error)
      }
      step()
    }
  }

  private func take(_ page: EventPage?, _ due: DuePage?) {
    // A stop may have come meanwhile.
    guard !isStopping else { return }
    if let page, page.end > window.end {
      mayHaveFresh = true
      work.add(fresh: page.events)
      window.append(page.events.map(\.seq), end: page.end)
    }
    guard let due else { return }
    if !due.due.isEmpty { mayHaveDue = true }
    work.add(due: due.due)
    if let next = due.next { nextDue = min(nextDue ?? next, next) }
  }

  private var mayRecord: Bool {
    hasUnrecorded && (isStopping || clock.uptime() >= nextRecord)
  }

  private var hasUnrecorded: Bool {
    !results.isEmpty || window.position > recorded || window.repeatable >= Self.mostRepeated
      || (isStopping && running.isEmpty && window.repeatable > 0 && !interrupted.isEmpty)
  }

  private func record() {
    claim()
    let batch = results
    let position = window.position
    results = [:]
    isBusy = true
    let start = clock.uptime()
    Task { [store, handler] in
      let result = await onQueue { () throws(StoreError) in
        try store.record(batch.values, handler: handler, advancingTo: position)
      }
      isBusy = false
      let now = clock.uptime()
      switch result {
      case .success:
        recorded = position
        storeFailures = 0
        nextDue = (batch.values.compactMap(\.retryAt) + [nextDue].compactMap(\.self)).min()
        nextRecord = now + min(max(Self.shortestPause, (now - start) * 10), Self.longestPause)
      case .failure(let error):
        // What came meanwhile is newer. A lane that stops gives up; it is all offered again.
        if !isStopping { results.merge(batch) { newer, _ in newer } }
        failed(error)
      }
      step()
    }
  }

  /// Gives rows to what holds the position back.
  private func claim() {
    if isStopping, running.isEmpty, window.repeatable > 0 {
      for item in interrupted where !item.hasRow {
        results[item.event.seq] = Attempt(event: item.event.seq, number: 0, at: clock.now(), outcome: .claimed)
        window.finish(item.event.seq)
      }
      interrupted = []
    }
    guard window.repeatable >= Self.mostRepeated else { return }
    for (event, run) in running where !run.hasRow {
      running[event]?.hasRow = true
      results[event] = attempt(run.item, .claimed)
      window.finish(event)
    }
  }

  private func failed(_ error: StoreError) {
    storeFailures += 1
    let pause = min(
      max(Backoff.first, Backoff.pause(after: storeFailures, random: random())), .seconds(60))
    storeRetry = clock.uptime() + pause
    logger.error(
      "the store failed the handler, which waits for it",
      metadata: ["error": "\(error)", "pause": "\(pause)"])
    // Nothing is left to wait for.
    if isStopping { window = LaneWindow(position: recorded) }
  }

  private func onQueue<Value: Sendable>(
    _ body: @escaping @Sendable () throws(StoreError) -> Value
  ) async -> Result<Value, StoreError> {
    await withCheckedContinuation { continuation in
      queue.async { continuation.resume(returning: Result(catching: body)) }
    }
  }

  // MARK: Time

  /// One alarm, for whatever comes first. One that is early finds nothing to do and sets the next.
  private func setAlarm() {
    guard isRunning.load(ordering: .relaxed) else { return }
    var times = running.values.filter { !$0.timedOut }.map(\.deadline)
    if storeFailures > 0 {
      times.append(storeRetry)
    } else if !isBusy, hasUnrecorded {
      times.append(nextRecord)
    }
    if let due = nextDue {
      times.append(clock.uptime() + .milliseconds(max(0, due.milliseconds - clock.now().milliseconds)))
    }
    guard let time = times.min() else { return }
    if let alarm, alarm.time <= time { return }
    alarm?.task.cancel()
    alarm = (
      time,
      Task { [clock] in
        guard (try? await clock.sleep(time)) != nil else { return }
        rang(time)
      }
    )
  }

  private func rang(_ time: Duration) {
    if alarm?.time == time { alarm = nil }
    step()
  }

  private func finishIfStopped() {
    guard isStopping, running.isEmpty, !isBusy, !hasUnrecorded else { return }
    alarm?.task.cancel()
    isRunning.store(false, ordering: .relaxed)
    for continuation in stopped { continuation.resume() }
    stopped = []
  }
}

extension Attempt {
  fileprivate var retryAt: Timestamp? {
    if case .failed(_, let retryAt) = outcome { retryAt } else { nil }
  }
}
