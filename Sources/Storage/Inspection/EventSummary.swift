package import DynamicEvents

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
