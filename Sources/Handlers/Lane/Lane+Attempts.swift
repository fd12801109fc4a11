internal import Dispatch
internal import DynamicEvents
internal import Logging
internal import Storage
internal import Synchronization

extension Lane {
  /// Results that wait for the disk; beyond them no attempt begins.
  private static let mostUnrecorded = 1024

  func begin() {
    guard !isStopping, storeFailures == 0, alone == nil else { return }
    let registration = registration
    if registration.batchHandler != nil, !running.isEmpty { return }
    let now = clock.uptime()
    var batch: [LaneWork.Item] = []
    while running.count + batch.count < registration.concurrency,
      window.repeatable + results.count < Self.mostUnrecorded, pace.pausedUntil ?? now <= now, let item = work.next()
    {
      guard registration.wants(item.event.name) else {
        pass(item)
        continue
      }
      if item.wasDead { log.add(.replayed, ["seq": .stringConvertible(item.event.seq)]) }
      pace.began(at: now)
      if registration.batchHandler != nil {
        batch.append(item)
      } else {
        let mark =
          registration.endsNoProcess
          ? nil : attempts?.begin(item.event.seq, receivedAt: item.event.receivedAt, handler: handler)
        start(item, registration, mark)
      }
    }
    if !batch.isEmpty, let handler = registration.batchHandler { start(batch, registration, handler) }
  }

  /// Begins an attempt, which is noted already.
  func start(_ item: LaneWork.Item, _ registration: HandlerRegistration, _ mark: AttemptFile.Mark?) {
    // Before the task: it may be at work long before this thread goes on.
    let now = clock.uptime()
    var own: AttemptExecutor?
    if !registration.suspends {
      own =
        executors.popLast() ?? AttemptExecutor(LaneExecutor(label: "revoked.handler.\(registration.name).attempt"))
    }
    let task = Task.detached(executorPreference: own ?? attemptExecutor) {
      let verdict = await AttemptFile.Mark.$current.withValue(mark) {
        await Verdict(of: registration.handler, body: item.event.body)
      }
      await self.ended([(item.event.seq, verdict)])
    }
    running[item.event.seq] = Running(item, registration, task, now, executor: own, mark)
  }

  /// Begins attempts that are one call.
  private func start(
    _ batch: [LaneWork.Item], _ registration: HandlerRegistration, _ handler: any BatchHandler
  ) {
    let events = batch.map(\.event)
    let task = Task.detached(executorPreference: attemptExecutor) {
      let verdicts = await Verdict.all(of: handler, bodies: events.map(\.body))
      await self.ended(zip(events, verdicts).map { ($0.seq, $1) })
    }
    let now = clock.uptime()
    for item in batch { running[item.event.seq] = Running(item, registration, task, now) }
  }

  /// Not wanted, or not any more.
  func pass(_ item: LaneWork.Item) {
    if item.hasRow { results[item.event.seq] = attempt(item, .delivered) }
    window.finish(item.event.seq)
  }

  private func ended(_ attempts: [(event: Int64, verdict: Verdict)]) {
    for (event, verdict) in attempts {
      guard let run = running.removeValue(forKey: event) else { continue }
      if let executor = run.executor, executors.count < registration.concurrency { executors.append(executor) }
      judge(run, verdict)
      if event == alone?.suspect.event { endAlone() }
    }
    stepBehindOthers()
  }

  private func judge(_ run: Running, _ verdict: Verdict) {
    let item = run.item
    if run.isLost {
      // Whatever came of it: the node that leads makes the attempt again.
      run.mark?.breakOff(handler: handler)
      return
    }
    if case .failed = verdict, isCancelling, !run.timedOut {
      // Cancelled by the stop: no verdict on the event, it is offered again after the next start.
      run.mark?.breakOff(handler: handler)
      interrupted.append(item)
      return
    }
    run.mark?.end()
    let outcome: Attempt.Outcome
    switch verdict {
    case .delivered:
      pace.answered()
      counters.delivered.wrappingAdd(1, ordering: .relaxed)
      outcome = .delivered
    case .undeliverable(let error):
      pace.answered()
      outcome = giveUp(item, error)
    case .failed(let error, let pause):
      pace.failed()
      // What the handler says of its end may say why it took so long.
      let reasons = [run.timedOut ? "timed out after \(run.timeout)" : nil, error].compactMap(\.self)
      outcome = retry(item, reasons.isEmpty ? "cancelled" : reasons.joined(separator: ": "), pause)
    }
    // Of fresh events only failures need a row: the position says that the others are done.
    if run.hasRow || outcome != .delivered { results[item.event.seq] = attempt(item, outcome) }
    window.finish(item.event.seq)
  }

  private func retry(_ item: LaneWork.Item, _ error: String, _ pause: Duration?) -> Attempt.Outcome {
    let number = item.failedBefore + 1
    guard number < registration.maxAttempts else { return giveUp(item, error) }
    counters.failed.wrappingAdd(1, ordering: .relaxed)
    // A peer that asks for more than the longest pause would hide the event from those who watch.
    let asked = min(pause ?? .zero, Backoff.longest)
    let wait = max(asked, Backoff.pause(after: number, random: random()))
    let retryAt = Timestamp(milliseconds: clock.now().milliseconds + Int64(wait / .milliseconds(1)))
    log.add(
      .failed,
      [
        "seq": .stringConvertible(item.event.seq), "attempt": .stringConvertible(number), "retryAt": "\(retryAt)",
        "error": "\(error)",
      ])
    return .failed(error: error, retryAt: retryAt)
  }

  func giveUp(_ item: LaneWork.Item, _ error: String) -> Attempt.Outcome {
    counters.dead.wrappingAdd(1, ordering: .relaxed)
    log.add(
      .dead,
      [
        "seq": .stringConvertible(item.event.seq), "attempt": .stringConvertible(item.failedBefore + 1),
        "error": "\(error)",
      ])
    return .dead(error: error)
  }

  func attempt(_ item: LaneWork.Item, _ outcome: Attempt.Outcome) -> Attempt {
    Attempt(event: item.event.seq, number: item.failedBefore + 1, at: clock.now(), outcome: outcome)
  }

  func cancelOverdue() {
    let now = clock.uptime()
    for (event, run) in running where !run.timedOut && run.deadline <= now {
      running[event]?.timedOut = true
      run.task.cancel()
      log.add(
        .late,
        [
          "seq": .stringConvertible(event), "attempt": .stringConvertible(run.item.failedBefore + 1),
          "timeout": "\(run.timeout)",
        ])
    }
  }
}
