internal import DynamicEvents
internal import Logging
internal import Storage

extension Lane {
  /// Beside other work a suspect has to wait no longer than this.
  static let suspectsWait: Duration = .seconds(10)

  /// Begins a suspect when nothing else is left to do, or when it has waited for long enough: then no other attempt
  /// begins until it has ended.
  func beginSuspect() {
    guard !isStopping, storeFailures == 0, let attempts else { return }
    if alone == nil {
      // What the window has not come to would be taken for a fresh event once its row is gone.
      guard let next = suspects.first(where: { $0.event <= window.end }) else { return }
      let isGivenUp = next.ends >= AttemptFile.mostEnds
      guard isGivenUp || isIdle || clock.uptime() >= suspectsDue else { return }
      guard isGivenUp || attempts.takeTurn() else { return }
      suspects.removeAll { $0 == next }
      alone = Alone(suspect: next, hasTurn: !isGivenUp, since: clock.uptime())
    }
    guard let alone, !alone.isBegun, running.isEmpty else { return }
    self.alone?.isBegun = true
    Task { [store, handler, event = alone.suspect.event] in
      let result = await run(on: reader) { () throws(StoreError) in
        try store.pendingDelivery(of: event, handler: handler)
      }
      switch result {
      case .success(let delivery): found(delivery)
      case .failure(let error):
        self.alone?.isBegun = false
        storeFailed(error)
      }
      step()
    }
  }

  private var isIdle: Bool {
    // Recorded, so that another end would repeat this one alone.
    work.isEmpty && running.isEmpty && isRecordedUp && !mayHaveFresh && !mayHaveDue && !isReadingFresh && !isReadingDue
  }

  private func found(_ delivery: DueDelivery?) {
    guard let alone, let attempts else { return }
    let suspect = alone.suspect
    if !leads { return endAlone() }
    guard let delivery, delivery.event.receivedAt == suspect.receivedAt else {
      attempts.clear(suspect, handler: handler)
      return endAlone()
    }
    if isStopping { return endAlone() }
    let item = LaneWork.Item(event: delivery.event, failedBefore: delivery.attempts, hasRow: true)
    guard registration.wants(item.event.name) else {
      pass(item)
      attempts.clear(suspect, handler: handler)
      return endAlone()
    }
    if suspect.ends < AttemptFile.mostEnds {
      logger.notice(
        "an attempt that was under way when the process ended is made again, alone",
        metadata: ["seq": .stringConvertible(suspect.event), "ends": .stringConvertible(suspect.ends)])
      pace.began(at: clock.uptime())
      return start(item, registration, attempts.begin(suspect, handler: handler))
    }
    let error = "the process ended \(suspect.ends) times while this was attempted"
    results[suspect.event] = attempt(item, giveUp(item, error))
    attempts.clear(suspect, handler: handler)
    endAlone()
  }

  /// The suspect's attempt has ended, or there was nothing to attempt.
  func endAlone() {
    guard let alone else { return }
    self.alone = nil
    // It may have a row that was left out until now.
    mayHaveDue = true
    // Others get as long as it took, so that many suspects take half of the lane's time at most.
    let now = clock.uptime()
    suspectsDue = now + max(now - alone.since, .seconds(1))
    guard alone.hasTurn, let attempts else { return }
    attempts.endTurn()
    turnEnded()
  }
}
