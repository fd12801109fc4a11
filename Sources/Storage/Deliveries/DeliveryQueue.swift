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
  /// How long nobody else may lead, from the moment before it was claimed or renewed; nil: for ever.
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
