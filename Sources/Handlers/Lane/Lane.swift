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
  nonisolated let isWoken = Atomic(false)
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
  var isStepComing = false
  var alarm: (time: Duration, task: Task<Void, Never>)?
  var isStopping = false
  /// What fails from now on may have been cancelled.
  var isCancelling = false
  var stopped: [CheckedContinuation<Void, Never>] = []
  /// Whether attempts may begin.
  var isOpen = false
  /// An earlier lane of this handler has not stopped yet.
  var isWaiting: Bool

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
}
