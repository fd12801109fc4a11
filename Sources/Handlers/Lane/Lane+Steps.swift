internal import DynamicEvents
internal import Storage
internal import Synchronization

// What comes next, whatever has happened.
extension Lane {
  /// In milliseconds.
  private static let longestPause = Int64(Backoff.longest / .milliseconds(1))

  func woken() {
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
    cancelOverdue()
    log.write(at: clock.uptime())
    finishIfStopped()
    setAlarm()
  }

  private func proceed() {
    beginSuspect()
    begin()
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

  /// One alarm, for whatever comes first. One that is early finds nothing to do and sets the next.
  private func setAlarm() {
    guard isRunning.load(ordering: .relaxed) else { return }
    var times = leads ? leadingTimes : []
    if let first = running.values.lazy.filter({ !$0.timedOut }).map(\.deadline).min() { times.append(first) }
    if let line = log.due { times.append(line) }
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

  /// When `proceed` has something to do. Nothing else takes these times away: where this node does not lead, an alarm
  /// for one that has passed would go round and round.
  private var leadingTimes: [Duration] {
    var times: [Duration] = []
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
    if !suspects.isEmpty, alone == nil, suspectsDue > clock.uptime() { times.append(suspectsDue) }
    if let next = pace.pausedUntil, !work.isEmpty, storeFailures == 0, next > clock.uptime() { times.append(next) }
    return times
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
