internal import Storage

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
