internal import Dispatch
internal import DynamicEvents
internal import Logging
internal import Storage
internal import Synchronization

/// One handler's way through the events: its position in the store, and the retries of what failed.
///
/// The event table itself is the queue. The position moves, and failures become rows, in one transaction for many
/// attempts; a process killed in between offers the same events again. That is at least once, at no cost for ingest.
///
/// Everything is driven by five events (woken, read, ended, recorded, alarm), each of which ends in `step`. Nothing
/// polls.
actor Lane {
  struct Running {
    let item: LaneWork.Item
    let task: Task<Void, Never>
    /// nil: the lane's.
    let executor: AttemptExecutor?
    let deadline: Duration
    let timeout: Duration
    var hasRow: Bool
    var mark: AttemptFile.Mark?
    var timedOut = false
    /// It began under a lease that has ended.
    var isLost = false

    init(
      _ item: LaneWork.Item, _ registration: HandlerRegistration, _ task: Task<Void, Never>, _ now: Duration,
      executor: AttemptExecutor? = nil, _ mark: AttemptFile.Mark? = nil
    ) {
      self.item = item
      self.task = task
      self.executor = executor
      deadline = now + registration.timeout
      timeout = registration.timeout
      hasRow = item.hasRow
      self.mark = mark
    }
  }

  /// A suspect that nothing else runs beside.
  struct Alone {
    let suspect: AttemptFile.Suspect
    /// Whether the turn among all lanes' suspects is this one's.
    let hasTurn: Bool
    let since: Duration
    var isBegun = false
  }

  nonisolated let executor: LaneExecutor
  /// Of all attempts that suspend, on the lane's own queue: from one to the other no thread is woken.
  let attemptExecutor: AttemptExecutor
  nonisolated let counters: DeliveryCounters
  /// True from the start: a lane that was never run would be a bug, and one that has ended is not ready.
  nonisolated let isRunning = Atomic(true)
  private nonisolated let isWoken = Atomic(false)
  /// What the lane does it by. Replaced from any thread, so that of two that replace it the later one counts.
  private nonisolated let current: Mutex<HandlerRegistration>
  let store: any DeliveryQueue
  let logger: Logger
  var log: LaneLog
  let clock: LaneClock
  let random: @Sendable () -> Double
  /// The handler's number in the store; 0 before the first claim.
  var handler: Int64 = 0
  var leadership = LaneLeadership()
  /// Where attempts under way are noted; nil: nowhere.
  let attempts: AttemptFile?
  /// A suspect of this lane's has ended, so that another lane may have the turn.
  let turnEnded: @Sendable () -> Void
  /// The store's calls block until the disk answers; they must not block the threads that all tasks share.
  let reader: DispatchQueue
  let writer: DispatchQueue
  /// Of the lease, which must be renewed while others hang.
  let keeper: DispatchQueue

  var window: LaneWindow
  var recorded: Int64
  var work = LaneWork()
  var pace = LanePace()
  var running: [Int64: Running] = [:]
  /// What had begun when an earlier process ended, and has not come to its turn.
  var suspects: [AttemptFile.Suspect] = []
  var suspectsDue = Duration.zero
  var alone: Alone?
  /// Of attempts that may block, those that none uses.
  var executors: [AttemptExecutor] = []
  var results: [Int64: Attempt] = [:]
  /// Begun before a stop, without a verdict.
  var interrupted: [LaneWork.Item] = []
  var isReadingFresh = false
  /// Retries are never read while something is recorded, so that what is read is never older than what is known. Fresh
  /// events may be: nothing is recorded of what lies behind the window. So a new event does not wait for the writer,
  /// where others wait before this lane.
  var isReadingDue = false
  var isRecording = false
  var mayHaveFresh = true
  var mayHaveDue = true
  var nextDue: Timestamp?
  /// Retries are due of events that the window has not come to.
  var isDueAhead = false
  var nextRecord = Duration.zero
  var storeFailures = 0
  var storeRetry = Duration.zero
  private var isStepComing = false
  private var alarm: (time: Duration, task: Task<Void, Never>)?
  var isStopping = false
  /// What fails from now on may have been cancelled.
  var isCancelling = false
  private var stopped: [CheckedContinuation<Void, Never>] = []
  /// Whether attempts may begin.
  private var isOpen = false
  /// An earlier lane of this handler has not stopped yet.
  private var isWaiting: Bool

  /// - Parameter predecessor: an earlier lane of this handler that was told to stop. Nothing begins before it has, so
  ///   that no event is with the handler twice at the same time; then this one goes on where that one came to.
  ///
  /// Nothing begins before `open`.
  init(
    _ registration: HandlerRegistration, store: any DeliveryQueue, logger: Logger, clock: LaneClock,
    random: @escaping @Sendable () -> Double, attempts: AttemptFile?, turnEnded: @escaping @Sendable () -> Void,
    after predecessor: Lane? = nil
  ) throws(StoreError) {
    var logger = logger
    logger[metadataKey: "handler"] = "\(registration.name)"
    self.logger = logger
    log = LaneLog(logger)
    current = Mutex(registration)
    self.store = store
    self.clock = clock
    self.random = random
    counters = DeliveryCounters(name: registration.name)
    // An earlier lane has the lease until it has stopped.
    if predecessor == nil {
      let asked = clock.uptime()
      let claim = try store.claim(
        registration.name, patterns: registration.events.map(\.description), at: clock.now())
      leadership.claimed(claim, askedAt: asked)
    }
    handler = leadership.lease?.handler ?? 0
    recorded = leadership.lease?.position ?? 0
    window = LaneWindow(position: recorded)
    reader = DispatchQueue(label: "revoked.handler.\(registration.name).read")
    writer = DispatchQueue(label: "revoked.handler.\(registration.name).record")
    keeper = DispatchQueue(label: "revoked.handler.\(registration.name).lease")
    executor = LaneExecutor(label: "revoked.handler.\(registration.name)")
    attemptExecutor = AttemptExecutor(executor)
    self.attempts = attempts
    self.turnEnded = turnEnded
    isWaiting = predecessor != nil
    if let predecessor { Task { await follow(predecessor) } }
  }

  private func follow(_ predecessor: Lane) async {
    await predecessor.stop()
    isWaiting = false
    takeSuspects()
  }

  /// Lets attempts begin. Called once, when the server listens.
  nonisolated func open() {
    Task { await opened() }
  }

  private func opened() {
    isOpen = true
    takeSuspects()
  }

  private func takeSuspects() {
    if isOpen, !isWaiting, leads {
      suspects = attempts?.suspects(of: handler) ?? []
      suspectsDue = clock.uptime() + Self.suspectsWait
    }
    step()
  }

  /// There may be something to do. Cheap, and may be called from any thread.
  nonisolated func wake() {
    // One that is under way says as much as a hundred.
    if !isWoken.exchange(true, ordering: .acquiringAndReleasing) {
      // On the lane's own queue from the start: one thread is woken, not two.
      Task(executorPreference: attemptExecutor) { await self.woken() }
    }
  }

  nonisolated var registration: HandlerRegistration { current.withLock { $0 } }

  /// From the next attempt on, this counts. The name stays.
  nonisolated func update(_ registration: HandlerRegistration) {
    current.withLock { $0 = registration }
    wake()
  }

  /// Cancels the attempts that run, and is then as `finish`.
  func stop() async {
    (isStopping, isCancelling) = (true, true)
    for run in running.values { run.task.cancel() }
    await finish()
  }

  /// Begins no attempt any more, and returns when none runs and what ended is recorded.
  func finish() async {
    isStopping = true
    work.clear()
    await withCheckedContinuation { continuation in
      // Here, not before: at every `await` another of the lane's jobs may come first, and may be its last.
      guard isRunning.load(ordering: .relaxed) else { return continuation.resume() }
      stopped.append(continuation)
      step()
    }
  }

  // The lane has it as long as it lives.
  nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

  private func woken() {
    isWoken.store(false, ordering: .releasing)
    mayHaveFresh = true
    mayHaveDue = true
    step()
  }

  /// Attempts that end together are followed by one step.
  func stepBehindOthers() {
    if isStepComing { return }
    isStepComing = true
    Task {
      isStepComing = false
      step()
    }
  }

  func step() {
    guard isRunning.load(ordering: .relaxed), !isWaiting, isOpen || isStopping else { return }
    keepLease()
    if leads { proceed() }
    finishIfStopped()
    setAlarm()
  }

  private func proceed() {
    beginSuspect()
    begin()
    cancelOverdue()
    log.write(at: clock.uptime())
    // Further ahead than any pause: the clock was set back since.
    if let due = nextDue, due <= clock.now() || due.milliseconds - clock.now().milliseconds > Self.longestPause {
      nextDue = nil
      mayHaveDue = true
    }
    if isStopping || storeFailures == 0 || clock.uptime() >= storeRetry {
      // A store that reads and cannot write must not look well again: what it gave could not be recorded.
      let mayRead = storeFailures == 0 || isRecordedUp
      // What comes while a batch is under way makes the next one.
      if mayRead, registration.batchHandler == nil || running.isEmpty { readFresh() }
      if mayRecord { record() }
      if mayRead { readDue() }
    }
    // Reading may have found that there is nothing else to do.
    beginSuspect()
  }

  /// In milliseconds.
  private static let longestPause = Int64(Backoff.longest / .milliseconds(1))

  /// One alarm, for whatever comes first. One that is early finds nothing to do and sets the next.
  private func setAlarm() {
    guard isRunning.load(ordering: .relaxed) else { return }
    var times: [Duration] = []
    if let first = running.values.lazy.filter({ !$0.timedOut }).map(\.deadline).min() { times.append(first) }
    if storeFailures > 0 {
      // Where it has passed, something is under way that ends in a step. An alarm at once would go round and round.
      times.append(max(storeRetry, clock.uptime() + .milliseconds(100)))
    } else if !isRecording, !isReadingDue, hasUnrecorded {
      times.append(nextRecord)
    }
    if let due = nextDue {
      // The clock may have been set back since `proceed` looked at it.
      let pause = min(max(0, due.milliseconds - clock.now().milliseconds), Self.longestPause)
      times.append(clock.uptime() + .milliseconds(pause))
    }
    if let line = log.due { times.append(line) }
    if !suspects.isEmpty, alone == nil, suspectsDue > clock.uptime() { times.append(suspectsDue) }
    if let next = pace.pausedUntil, !work.isEmpty, storeFailures == 0, next > clock.uptime() { times.append(next) }
    if let due = leaseDue { times.append(due) }
    if let end = leadership.until { times.append(end) }
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
    if isStopping, alone?.isBegun == false { endAlone() }
    guard isStopping, running.isEmpty, alone == nil, !isReadingFresh, !isReadingDue, !isRecording, !hasUnrecorded,
      // A claim under way may still give a lease, which others would wait for.
      !leadership.isAsking
    else { return }
    if leadership.lease?.validity != nil { return release() }
    alarm?.task.cancel()
    log.writeRest()
    isRunning.store(false, ordering: .relaxed)
    for continuation in stopped { continuation.resume() }
    stopped = []
  }
}
