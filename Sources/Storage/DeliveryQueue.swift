package import DynamicEvents

/// What the handlers have still to do. The events are the queue; each handler has a position in it, and rows for the
/// exceptions alone.
package protocol DeliveryQueue: Sendable {
  /// Registers a handler, and claims it. One that was never seen begins behind the newest event; one that was away goes
  /// on where it stood, and is not removed any more.
  ///
  /// - Parameter patterns: which events it wants here (`EventPattern.description`), so that other nodes store them too.
  func claim(_ handler: String, patterns: [String], at now: Timestamp) throws(StoreError) -> HandlerClaim

  /// Has the lease's validity begin anew. Returns whether it does: if not, another node leads, or may.
  /// - Parameter patterns: as of `claim`.
  func renew(_ lease: HandlerLease, patterns: [String]) throws(StoreError) -> Bool

  /// Lets another node lead at once. Does nothing to a lease that has ended.
  func release(_ lease: HandlerLease) throws(StoreError)

  /// Which node leads each handler, by the handlers' names, of those that are led; nil: there is no other node.
  func leaders() throws(StoreError) -> [String: HandlerLeader]?

  /// Which events other nodes' handlers want, as far as this one knows, at the cost of a load.
  var patternsElsewhere: [String] { get }

  /// Records how attempts ended, of fresh events and of retries alike, and moves the handler on, in one transaction.
  /// The position never goes back. Call it for many at once: it costs one commit. Throws `leaseLost` when another node
  /// leads; then nothing is recorded.
  func record(_ attempts: [Attempt], lease: HandlerLease, advancingTo position: Int64?) throws(StoreError)

  /// The decodable events behind a position, oldest first: at most `limit`, and no more once their bodies reach
  /// `bytes` (so a big one still comes, alone).
  ///
  /// Those that `handler` has a delivery of its own for are left out: they were attempted, out of their turn, before
  /// the process was killed, and come by `dueDeliveries` or are dead.
  func events(after position: Int64, limit: Int, bytes: Int, handler: Int64?) throws(StoreError) -> EventPage

  /// Failed deliveries whose time has come, the longest due first: at most `limit`, and no more once their bodies reach
  /// `bytes`. Those that the caller has in hand already (`excluding`) are passed over.
  ///
  /// So are those of events behind `end`. They were attempted out of their turn, before the process was killed: if one
  /// succeeded before its turn comes, and so lost its row, it would be taken for a fresh one.
  func dueDeliveries(
    handler: Int64, at now: Timestamp, limit: Int, bytes: Int, upTo end: Int64, excluding inHand: Set<Int64>
  ) throws(StoreError) -> DuePage

  /// What is left to do of one event; nil when the handler has done it or given it up, or there is no such event.
  func pendingDelivery(of event: Int64, handler: Int64) throws(StoreError) -> DueDelivery?

  /// Pending and dead deliveries of every handler that ever was, by name. Costs a row a handler, however many
  /// deliveries there are.
  func backlogs() throws(StoreError) -> [String: Backlog]

  /// When the oldest event was received that a handler has not finished, by name. Those that have finished all are left
  /// out. Costs two rows a handler.
  func oldestPending() throws(StoreError) -> [String: Timestamp]

  /// Takes note that this node has these handlers and no others. What one that is removed has not delivered stays, and
  /// so does its place, until it is registered again or forgotten. One that another node has is not removed.
  func markRemoved(allBut names: [String], at now: Timestamp) throws(StoreError)

  /// The same of one that has stopped.
  func markRemoved(_ name: String, at now: Timestamp) throws(StoreError)
}

/// The right to deliver to a handler, and where it stands.
package struct HandlerLease: Hashable, Sendable {
  /// The handler's number in the store.
  package var handler: Int64
  /// Counts those who led. Nothing is recorded under any but the latest.
  package var epoch: Int64
  /// Every event up to this number has been attempted at least once.
  package var position: Int64
  /// How long no other node may lead, from the moment before it was claimed or renewed; nil: for ever.
  package var validity: Duration?
  /// How often it is to be renewed.
  package var renewal: Duration?

  package init(handler: Int64, epoch: Int64, position: Int64, validity: Duration?, renewal: Duration?) {
    self.handler = handler
    self.epoch = epoch
    self.position = position
    self.validity = validity
    self.renewal = renewal
  }
}

/// The node that leads a handler.
package struct HandlerLeader: Hashable, Sendable {
  /// `host/process/digits`
  package var node: String
  /// It is this process.
  package var isHere: Bool
  /// How long ago its lease was renewed.
  package var renewedAgo: Duration

  package init(node: String, isHere: Bool, renewedAgo: Duration) {
    self.node = node
    self.isHere = isHere
    self.renewedAgo = renewedAgo
  }
}

extension DeliveryQueue {
  package func leaders() throws(StoreError) -> [String: HandlerLeader]? { nil }
}

package enum HandlerClaim: Hashable, Sendable {
  case leads(HandlerLease)
  /// Another node does. It may have ended by then.
  case follows(askAgainIn: Duration)
}

/// What a handler has not delivered.
package struct Backlog: Hashable, Sendable {
  /// Never attempted (counting also what it may turn out not to want), or waiting for a retry.
  package var pending: Int
  /// Given up.
  package var dead: Int

  package init(pending: Int, dead: Int) {
    self.pending = pending
    self.dead = dead
  }
}

/// The events that come next for a handler.
package struct EventPage: Hashable, Sendable {
  package var events: [StoredEvent]
  /// The position to record once all of `events` have been attempted. It is beyond the last of them where events
  /// follow that no handler gets (undecodable ones).
  package var end: Int64

  package init(events: [StoredEvent], end: Int64) {
    self.events = events
    self.end = end
  }
}

/// An event as a handler gets it.
package struct StoredEvent: Hashable, Sendable {
  /// Its place in the order of arrival.
  package var seq: Int64
  package var name: String
  /// The body as it was signed.
  package var body: [UInt8]
  package var receivedAt: Timestamp

  package init(seq: Int64, name: String, body: [UInt8], receivedAt: Timestamp) {
    self.seq = seq
    self.name = name
    self.body = body
    self.receivedAt = receivedAt
  }
}

/// A failed delivery whose time for another attempt has come.
package struct DueDelivery: Hashable, Sendable {
  package var event: StoredEvent
  /// How often it failed.
  package var attempts: Int
  /// It was a dead letter, was put back into the queue, and has not been attempted since.
  package var wasDead = false

  package init(event: StoredEvent, attempts: Int, wasDead: Bool = false) {
    self.event = event
    self.attempts = attempts
    self.wasDead = wasDead
  }
}

/// What waits for another attempt.
package struct DuePage: Hashable, Sendable {
  /// No attempt waits longer for the next one. A time further ahead was written by a clock that was ahead, and has
  /// come.
  package static let longestPause: Duration = .seconds(3600)

  package var due: [DueDelivery]
  /// When the next one after these is due; nil when the page was full, or none waits.
  package var next: Timestamp?
  /// Some were left out because their events' turn has not come.
  package var isMoreAhead = false
  /// When one of these was to be due, further ahead than any pause: the clock was ahead when it was written.
  package var misdated: Timestamp?

  package init(due: [DueDelivery], next: Timestamp?, isMoreAhead: Bool = false, misdated: Timestamp? = nil) {
    self.due = due
    self.next = next
    self.isMoreAhead = isMoreAhead
    self.misdated = misdated
  }
}

/// How one attempt to deliver an event ended.
package struct Attempt: Hashable, Sendable {
  package enum Outcome: Hashable, Sendable {
    /// Done. Needs to be recorded where a row stands only; of fresh events the position alone tells.
    case delivered
    case failed(error: String, retryAt: Timestamp)
    /// Given up: a dead letter.
    case dead(error: String)
    /// Under way while the position moves on. The row is due at once: a process that finds it and knows of no running
    /// attempt finds what a killed process left. No expiry is needed, as only one process serves a folder.
    case claimed
  }

  package var event: Int64
  /// Which attempt it is, from 1.
  package var number: Int
  package var at: Timestamp
  package var outcome: Outcome

  package init(event: Int64, number: Int, at: Timestamp, outcome: Outcome) {
    self.event = event
    self.number = number
    self.at = at
    self.outcome = outcome
  }
}

/// When the attempts to deliver an event failed, as one text of milliseconds with spaces between, oldest first.
package struct AttemptTimes {
  /// The default of `max-attempts`; of more, the latest.
  package static let most = 20

  package let text: String

  package var times: [Timestamp] {
    text.split(separator: " ").compactMap { Int64($0).map(Timestamp.init(milliseconds:)) }
  }

  package init(text: String) {
    self.text = text
  }
}
