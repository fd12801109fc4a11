internal import Logging
internal import Storage

// Of several nodes on one store, one delivers to a handler at a time. An embedded store has one node: its lease is for
// ever, and nothing of this costs it a call.
extension Lane {
  var leads: Bool { leadership.lease != nil }

  /// Ends what may not go on, and renews or claims the lease when it is time to.
  func keepLease() {
    let now = clock.uptime()
    if leadership.hasEnded(at: now) { lose("it could not be renewed in time") }
    guard let due = leaseDue, due <= now else { return }
    if let lease = leadership.lease { renew(lease) } else { claim() }
  }

  /// When to renew or claim; nil: not while what is under way lasts.
  var leaseDue: Duration? {
    guard !leadership.isAsking, leads || (isAtRest && !isStopping) else { return nil }
    return leadership.due
  }

  /// Nothing of an earlier lease is under way: an event is never with the handler twice at the same time.
  private var isAtRest: Bool { running.isEmpty && !isReadingFresh && !isReadingDue && !isRecording && alone == nil }

  private func renew(_ lease: HandlerLease) {
    leadership.isAsking = true
    Task { [store, asked = clock.uptime(), patterns = registration.events.map(\.description)] in
      let result = await run(on: keeper) { () throws(StoreError) in try store.renew(lease, patterns: patterns) }
      leadership.isAsking = false
      if lease.epoch == leadership.lease?.epoch {
        switch result {
        case .success(true): leadership.renewed(askedAt: asked)
        case .success(false): lose("another node leads the handler")
        case .failure: leadership.failed(askedAt: asked)
        }
      }
      step()
    }
  }

  private func claim() {
    leadership.isAsking = true
    Task { [store, asked = clock.uptime(), now = clock.now(), registration] in
      let result = await run(on: keeper) { () throws(StoreError) in
        try store.claim(registration.name, patterns: registration.events.map(\.description), at: now)
      }
      leadership.isAsking = false
      switch result {
      case .success(let claim): take(claim, askedAt: asked)
      case .failure(let error):
        leadership.failed(askedAt: asked)
        storeFailed(error)
      }
      step()
    }
  }

  private func take(_ claim: HandlerClaim, askedAt asked: Duration) {
    leadership.claimed(claim, askedAt: asked)
    // The store answers again, also where it says that another node leads.
    storeFailures = 0
    guard let lease = leadership.lease else { return }
    if isStopping { return }
    if lease.validity != nil {
      logger.notice(
        "this node delivers to the handler from now on", metadata: ["position": .stringConvertible(lease.position)])
    }
    handler = lease.handler
    recorded = lease.position
    window = LaneWindow(position: lease.position)
    (mayHaveFresh, mayHaveDue, isDueAhead) = (true, true, false)
    nextDue = nil
    suspects = attempts?.suspects(of: handler) ?? []
    suspectsDue = clock.uptime() + Self.suspectsWait
  }

  /// Another node may deliver to the handler from now on: nothing begins here, what runs is cancelled, and what is not
  /// recorded is made again there.
  func lose(_ cause: String) {
    guard leads else { return }
    logger.warning(
      "this node does not deliver to the handler any more",
      metadata: ["cause": "\(cause)", "running": .stringConvertible(running.count)])
    leadership.end(askingAgainAt: clock.uptime())
    for event in running.keys {
      running[event]?.isLost = true
      running[event]?.task.cancel()
    }
    work.clear()
    (results, interrupted, suspects) = ([:], [], [])
    window = LaneWindow(position: recorded)
    if alone?.isBegun == false { endAlone() }
  }

  /// At the end of a lane: another node need not wait until the lease has ended.
  func release() {
    guard let lease = leadership.lease, lease.validity != nil, !leadership.isAsking else { return }
    leadership.isAsking = true
    Task { [store] in
      // Should it fail, the lease ends by itself.
      _ = await run(on: keeper) { () throws(StoreError) in try store.release(lease) }
      leadership.isAsking = false
      leadership.end(askingAgainAt: .zero)
      step()
    }
  }
}

/// Whether this node delivers to a handler, and when it has to ask again. Pure; all times are the lane's `uptime`.
///
/// The lease counts from before the call that gave it, on this node's clock, and ends here sooner than it does in the
/// store: so the node that had it has stopped before another one begins.
struct LaneLeadership {
  /// After a call that failed.
  private static let pause: Duration = .seconds(1)

  private(set) var lease: HandlerLease?
  /// Until when it counts; nil: for ever.
  private(set) var until: Duration?
  /// When it is to be renewed, or claimed; nil: never.
  private(set) var due: Duration? = .zero
  /// A call is under way.
  var isAsking = false

  mutating func claimed(_ claim: HandlerClaim, askedAt asked: Duration) {
    switch claim {
    case .leads(let lease):
      self.lease = lease
      renewed(askedAt: asked)
    case .follows(let pause):
      end(askingAgainAt: asked + pause)
    }
  }

  mutating func renewed(askedAt asked: Duration) {
    until = lease?.validity.map { asked + $0 }
    due = lease?.renewal.map { asked + $0 }
  }

  /// The store gave no answer: the lease counts until its end.
  mutating func failed(askedAt asked: Duration) {
    due = asked + Self.pause
  }

  func hasEnded(at now: Duration) -> Bool {
    until.map { $0 <= now } ?? false
  }

  mutating func end(askingAgainAt due: Duration) {
    (lease, until) = (nil, nil)
    self.due = due
  }
}
