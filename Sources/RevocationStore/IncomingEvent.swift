package import DynamicEvents

/// One genuinely signed delivery on its way into the store.
package struct IncomingEvent: Sendable {
  package enum Kind: Sendable {
    case sessionRevoked(SessionRevoked)
    /// Any other event that a handler wants.
    case other(name: String)
    /// Why the body could not be decoded. Its key must be made from the body, lest it stand in a real event's way.
    case undecodable(problem: String)
  }

  /// What makes two deliveries the same event.
  package var key: EventKey
  package var source: EventSource
  package var messageID: String?
  /// The body as it was signed.
  package var body: [UInt8]
  package var receivedAt: Timestamp
  /// The envelope's `timestamp`.
  package var occurredAt: Timestamp?
  package var kind: Kind

  package init(
    key: EventKey, source: EventSource = .webhook, messageID: String?, body: [UInt8], receivedAt: Timestamp,
    occurredAt: Timestamp?, kind: Kind
  ) {
    self.key = key
    self.source = source
    self.messageID = messageID
    self.body = body
    self.receivedAt = receivedAt
    self.occurredAt = occurredAt
    self.kind = kind
  }
}
