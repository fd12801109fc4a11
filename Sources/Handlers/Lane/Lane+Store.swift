internal import Dispatch
internal import DynamicEvents
internal import Logging
internal import Storage

extension Lane {
  /// Events read at a time, and bytes of their bodies: for fresh ones and for retries each, a lane's memory.
  private static let pageSize = 256
  private static let pageBytes = 4 << 20
  /// A page is read once fewer than these wait, however large they are.
  private static let readAhead = 16
  /// Once so many would be repeated after a kill, the running attempts before them get rows of their own and the
  /// position moves on.
  private static let mostRepeated = 64
  /// Between two transactions of a lane there are at least 20 ms, and ten times what the last one took: however many
  /// events come, a lane has less than a tenth of the store's writer, the rest is for ingest. A lone event is recorded
  /// at once.
  private static let shortestPause: Duration = .milliseconds(20)
  private static let longestPause: Duration = .seconds(1)

  func readFresh() {
    // Before the last is begun, so that no attempt waits for a read.
    guard mayHaveFresh, !isReadingFresh, !isStopping, work.freshCount < Self.readAhead else { return }
    mayHaveFresh = false
    isReadingFresh = true
    Task { [store, handler, end = window.end] in
      let result = await run(on: reader) { () throws(StoreError) in
        try store.events(after: end, limit: Self.pageSize, bytes: Self.pageBytes, handler: handler)
      }
      isReadingFresh = false
      switch result {
      case .success(let page):
        take(page)
        if isRecordedUp { storeFailures = 0 }
      case .failure(let error):
        mayHaveFresh = true
        storeFailed(error)
      }
      step()
    }
  }

  private func take(_ page: EventPage) {
    // A stop may have come meanwhile.
    guard !isStopping, leads, page.end > window.end else { return }
    // Short of both bounds it ends where the table did. What has come since has woken the lane.
    let bytes = page.events.reduce(0) { $0 + $1.body.count }
    if page.events.count == Self.pageSize || bytes >= Self.pageBytes { mayHaveFresh = true }
    window.append(page.events.map(\.seq), end: page.end)
    let held = suspects.isEmpty ? [] : Set(suspects.map(\.event))
    // They come later; a row of their own lets the position pass them.
    for event in page.events where held.contains(event.seq) {
      results[event.seq] = Attempt(event: event.seq, number: 0, at: clock.now(), outcome: .claimed)
      window.finish(event.seq)
    }
    work.add(fresh: page.events.filter { !held.contains($0.seq) })
    if isDueAhead { mayHaveDue = true }
  }

  func readDue() {
    guard mayHaveDue, !isReadingDue, !isRecording, !isStopping, work.dueCount == 0 else { return }
    mayHaveDue = false
    // The store says when the next one is due, but for those in hand, for which `record` does.
    nextDue = nil
    isReadingDue = true
    var inHand = Set(running.keys).union(results.keys).union(suspects.map(\.event))
    if let alone { inHand.insert(alone.suspect.event) }
    Task { [store, handler, end = window.end, inHand, now = clock.now()] in
      let result = await run(on: reader) { () throws(StoreError) in
        try store.dueDeliveries(
          handler: handler, at: now, limit: Self.pageSize, bytes: Self.pageBytes, upTo: end, excluding: inHand)
      }
      isReadingDue = false
      switch result {
      case .success(let page):
        take(page)
        if isRecordedUp { storeFailures = 0 }
      case .failure(let error):
        mayHaveDue = true
        storeFailed(error)
      }
      step()
    }
  }

  private func take(_ page: DuePage) {
    guard !isStopping, leads else { return }
    if !page.due.isEmpty { mayHaveDue = true }
    if let time = page.misdated { log.add(.misdated, ["retryAt": "\(time)"]) }
    isDueAhead = page.isMoreAhead
    work.add(due: page.due)
    if let next = page.next { nextDue = min(nextDue ?? next, next) }
  }

  var mayRecord: Bool {
    hasUnrecorded && !isRecording && !isReadingDue && (isStopping || clock.uptime() >= nextRecord)
  }

  var isRecordedUp: Bool { !hasUnrecorded && !isRecording }

  var hasUnrecorded: Bool {
    !results.isEmpty || window.position > recorded || window.repeatable >= Self.mostRepeated
      || (isStopping && running.isEmpty && window.repeatable > 0 && !interrupted.isEmpty)
  }

  func record() {
    guard let lease = leadership.lease else { return }
    giveRows()
    let batch = results
    let position = window.position
    results = [:]
    isRecording = true
    let start = clock.uptime()
    Task { [store, lease] in
      let result = await run(on: writer) { () throws(StoreError) in
        try store.record(Array(batch.values), lease: lease, advancingTo: position)
      }
      isRecording = false
      let now = clock.uptime()
      switch result {
      case .success:
        recorded = position
        storeFailures = 0
        nextDue = (batch.values.compactMap(\.retryAt) + [nextDue].compactMap(\.self)).min()
        nextRecord = now + min(max(Self.shortestPause, (now - start) * 10), Self.longestPause)
      case .failure(.leaseLost): lose("another node leads the handler")
      case .failure where !leads: break
      case .failure(let error):
        // What came meanwhile is newer. A lane that stops gives up; it is all offered again.
        if !isStopping { results.merge(batch) { newer, _ in newer } }
        storeFailed(error)
      }
      step()
    }
  }

  /// Gives rows to what holds the position back.
  private func giveRows() {
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

  func storeFailed(_ error: StoreError) {
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

  func run<Value: Sendable>(
    on queue: DispatchQueue, _ body: @escaping @Sendable () throws(StoreError) -> Value
  ) async -> Result<Value, StoreError> {
    await withCheckedContinuation { continuation in
      queue.async { continuation.resume(returning: Result(catching: body)) }
    }
  }
}

extension Attempt {
  fileprivate var retryAt: Timestamp? {
    if case .failed(_, let retryAt) = outcome { retryAt } else { nil }
  }
}
