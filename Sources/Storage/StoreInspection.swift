package import DynamicEvents

/// What a person or a command asks a store. None of it is on a hot path.
package protocol StoreInspection: Sendable {
  func tally() throws(StoreError) -> Tally

  /// In the order asked, as of one moment; nil for a session that is not revoked.
  func revocations(ofEach sessions: [SessionID]) throws(StoreError) -> [Revocation?]

  /// The newest first, before the number `before`.
  func latestEvents(_ filter: EventFilter, before: Int64?, limit: Int) throws(StoreError) -> [EventSummary]
  func event(_ seq: Int64) throws(StoreError) -> EventSummary?
  func event(_ key: EventKey) throws(StoreError) -> EventSummary?
  /// The number of the event by which the session was revoked; nil when it was not.
  func event(revoking session: SessionID) throws(StoreError) -> Int64?
  /// Those of the keys whose events are stored.
  func known(_ keys: [EventKey]) throws(StoreError) -> Set<EventKey>

  /// In the order of their ids, behind `after`.
  func deadLetters(_ filter: DeadLetterFilter, after: DeadLetterID?, limit: Int) throws(StoreError) -> [DeadLetter]
  /// The newest events' first, before `before`. A number alone stands before all of its event.
  func latestDeadLetters(before: DeadLetterID?, limit: Int) throws(StoreError) -> [DeadLetter]
  func deadLetterCount(_ filter: DeadLetterFilter) throws(StoreError) -> Int

  func isRemoved(_ handler: String) throws(StoreError) -> Bool
  func state(_ name: StateName) throws(StoreError) -> String?

  /// Compares rows, counts and whatever follows from them. Servers may be writing meanwhile.
  ///
  /// - Parameter progress: called now and then with the stage, how many rows of it were looked at, and how many there
  ///   are.
  /// - Returns: what is wrong, a line each; nothing if the store is whole.
  func findFaults(progress: (_ stage: StoreStage, _ done: Int, _ total: Int) -> Void) throws(StoreError) -> [String]
}

/// What an operator changes.
package protocol StoreAmendment: Sendable {
  /// Puts dead letters back in the queue, to be attempted at once and as often as a new event. Those that are none (any
  /// more) are passed over.
  ///
  /// One that could not be decoded is decoded again, which a newer release may be able to: its session is revoked if it
  /// is a revocation, and it becomes a new event, for every handler. Returns which were put back, in one transaction;
  /// call it for some hundred at a time, so that ingest gets its turns.
  func replay(_ ids: [DeadLetterID], at now: Timestamp) throws(StoreError) -> [DeadLetterID]

  /// Forgets dead letters: the handler never gets the event. One that could not be decoded is deleted with its bytes.
  /// Returns which.
  func discard(_ ids: [DeadLetterID]) throws(StoreError) -> [DeadLetterID]

  /// Forgets a removed handler: its rows, at most `limit` of them in this transaction, and with the last of them its
  /// place and its name. Returns whether there is more to do. One that a server has, or has again meanwhile, is left
  /// alone.
  func forgetSome(ofRemoved name: String, limit: Int) throws(StoreError) -> Bool

  /// - Parameter value: nil removes the name.
  func setState(_ name: StateName, to value: String?) throws(StoreError)

  /// Makes everything anew that follows from the rows. Only of a store opened with `.repair`.
  /// - Returns: how many rows the indexes have.
  func rebuild(progress: (_ stage: StoreStage, _ done: Int, _ total: Int) -> Void) throws(StoreError) -> Int
}

/// What a verification or a rebuilding is working on.
package enum StoreStage: String, Hashable, Sendable {
  case pages
  case counts
  case events
  case revocations
  case index
}

/// A stored event, and how its handlers stand with it, as a person asks for it.
package struct EventSummary: Hashable, Sendable {
  package enum State: Hashable, Sendable {
    /// Delivered, or of no interest to the handler, or discarded.
    case done
    /// Not reached yet.
    case waiting
    /// Failed so often, and to be attempted again then.
    case retrying(attempts: Int, at: Timestamp, error: String)
    case dead(attempts: Int, error: String)
  }

  package struct Handler: Hashable, Sendable {
    package var name: String
    package var state: State

    package init(name: String, state: State) {
      self.name = name
      self.state = state
    }
  }

  package var seq: Int64
  /// nil: it could not be decoded.
  package var name: String?
  package var problem: String?
  package var source: EventSource
  package var messageIDs: [String]
  package var receivedAt: Timestamp
  package var occurredAt: Timestamp?
  package var body: [UInt8]
  /// By name. Handlers that were added after the event came are left out.
  package var handlers: [Handler]

  package init(
    seq: Int64, name: String?, problem: String?, source: EventSource, messageIDs: [String], receivedAt: Timestamp,
    occurredAt: Timestamp?, body: [UInt8], handlers: [Handler]
  ) {
    self.seq = seq
    self.name = name
    self.problem = problem
    self.source = source
    self.messageIDs = messageIDs
    self.receivedAt = receivedAt
    self.occurredAt = occurredAt
    self.body = body
    self.handlers = handlers
  }
}

/// Which events are meant.
package struct EventFilter: Hashable, Sendable {
  /// Received at that time or later.
  package var since: Timestamp?
  /// An event's name, exactly.
  package var name: String?

  package init(since: Timestamp? = nil, name: String? = nil) {
    self.since = since
    self.name = name
  }
}
