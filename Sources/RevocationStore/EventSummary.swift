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
