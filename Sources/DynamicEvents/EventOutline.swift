internal import Bytes
package import Signature

/// What the receiver must know of an event before it stores it, made without allocation: an `Event` has `String`s.
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
      kind = eventName.withValue(in: body) { $0.isEqual(to: EventNames.ping.utf8.span) } ? .ping : .other
    }
    eventId = fields[.eventId]
    messageId = fields[.messageId]
    isTest = fields[.webhookId]?.withValue(in: body) { $0.isEqual(to: EventNames.testWebhookID.utf8.span) } ?? false
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

/// What a delivery turns out to be. Nothing of the body is parsed before its signature has been verified.
package enum SignedDelivery: Sendable {
  /// Not signed with any of the secrets. The sender is not told why.
  case forged
  /// Dynamic's, but not usable: to be kept as a dead letter, never refused.
  case undecodable(UndecodableReason)
  case genuine(EventOutline)

  /// - Parameters:
  ///   - signature: the value of `x-dynamic-signature-256`.
  ///   - body: the raw bytes of the request's body.
  package init(signature: Span<UInt8>, body: Span<UInt8>, verifier: SignatureVerifier) {
    guard verifier.isValid(signature, body: body) else {
      self = .forged
      return
    }
    do throws(UndecodableReason) {
      self = .genuine(try EventOutline(body))
    } catch {
      self = .undecodable(error)
    }
  }
}

/// Why a body that was signed cannot be used. Holds no byte of the input, so it may be logged and stored.
public enum UndecodableReason: Error, Hashable, CustomStringConvertible {
  /// The body is not JSON.
  case notJSON(JSONError)
  /// The body is JSON, but not an object.
  case notAnObject
  /// `eventName` is absent or not a string.
  case noEventName
  /// A session was revoked, but `data.id` does not say which: absent, not a string, or not of a session id's form.
  case noSessionID

  public var description: String {
    switch self {
    case .notJSON(let error): "the body is not JSON: \(error)"
    case .notAnObject: "the body is not a JSON object"
    case .noEventName: "the body has no eventName"
    case .noSessionID: "the event of a revoked session has no valid data.id"
    }
  }
}

/// The event names that mean something here; every other one is passed on as it is.
package enum EventNames {
  package static let sessionRevoked = "user.session.revoked"
  package static let adminSessionRevoked = "admin.user.session.revoked"
  package static let ping = "ping"
  /// What this program makes of an operator's orders.
  package static let operatorSessionRevoked = "operator.session.revoked"
  package static let operatorCutOff = "operator.cutoff"

  /// The webhook id of events that `revoked send` makes: they prove nothing of Dynamic.
  package static let testWebhookID = "00000000-0000-0000-0000-000000000000"
}

/// Who revoked a session.
public enum RevokedBy: String, Hashable, Sendable, CaseIterable {
  /// `user.session.revoked`
  case user
  /// `admin.user.session.revoked`
  case admin
  /// An order to this program.
  case `operator`
}

extension RevokedBy {
  init?(eventName: Span<UInt8>) {
    if eventName.isEqual(to: EventNames.sessionRevoked.utf8.span) {
      self = .user
    } else if eventName.isEqual(to: EventNames.adminSessionRevoked.utf8.span) {
      self = .admin
    } else if eventName.isEqual(to: EventNames.operatorSessionRevoked.utf8.span) {
      self = .operator
    } else {
      return nil
    }
  }
}
