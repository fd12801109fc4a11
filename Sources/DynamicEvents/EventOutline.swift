package import Signature

/// What the receiver must know of an event before it stores it, made without allocation.
package struct EventOutline: Sendable {
  package enum Kind: Hashable, Sendable {
    case sessionRevoked(SessionID, by: RevokedBy)
    case ping
    /// Any other name, present or future.
    case other
  }

  package let kind: Kind
  /// Other sessions that the event names as revoked, where `data.id` stands more than once.
  package let otherSessions: [SessionID]
  package let eventName: JSONString
  package let eventId: JSONString?
  package let messageId: JSONString?
  /// Made by `revoked send`, which uses a webhook id that is no webhook's.
  package let isTest: Bool
  /// When the event happened.
  package let timestamp: Timestamp?
  /// Of the session, when `data` looks like one, whatever the event's name.
  package let createdAt: Timestamp?
  /// Of the session. When absent, fall back to `timestamp`.
  package let revokedAt: Timestamp?

  /// Requires an `eventName`, and for a revoked session its id; nothing else.
  package init(_ body: Span<UInt8>) throws(UndecodableReason) {
    try self.init(EventFields(body), body)
  }

  init(_ fields: EventFields, _ body: Span<UInt8>) throws(UndecodableReason) {
    guard let eventName = fields[.eventName] else { throw .noEventName }
    self.eventName = eventName
    if let revokedBy = eventName.withValue(in: body, RevokedBy.init(eventName:)) {
      guard let id = fields.session else { throw .noSessionID }
      kind = .sessionRevoked(id, by: revokedBy)
      otherSessions = fields.otherSessions
    } else {
      otherSessions = []
      kind = eventName.withValue(in: body) { $0.equals(EventNames.ping) } ? .ping : .other
    }
    eventId = fields[.eventId]
    messageId = fields[.messageId]
    isTest = fields[.webhookId]?.withValue(in: body) { $0.equals(EventNames.testWebhookID) } ?? false
    timestamp = fields.timestamp(.timestamp, in: body)
    createdAt = fields.timestamp(.createdAt, in: body)
    revokedAt = fields.timestamp(.revokedAt, in: body)
  }

  /// What this event is deduplicated by; `body` is the one that the outline was made from.
  package func key(in body: Span<UInt8>) throws(OpenSSLFailure) -> EventKey {
    let key = try eventId?.withValue(in: body) { value throws(OpenSSLFailure) in try EventKey(eventId: value) }
    if let key { return key }
    return try EventKey(ofBody: body)
  }
}

extension RevokedBy {
  init?(eventName: Span<UInt8>) {
    if eventName.equals(EventNames.sessionRevoked) {
      self = .user
    } else if eventName.equals(EventNames.adminSessionRevoked) {
      self = .admin
    } else if eventName.equals(EventNames.operatorSessionRevoked) {
      self = .operator
    } else {
      return nil
    }
  }
}

extension Span<UInt8> {
  fileprivate func equals(_ name: String) -> Bool {
    let name = name.utf8.span
    guard count == name.count else { return false }
    for index in indices where self[index] != name[index] { return false }
    return true
  }
}
