package import DynamicEvents
package import Signature

/// One genuinely signed delivery on its way into the store.
package struct IncomingEvent: Sendable {
  package enum Kind: Sendable {
    case sessionRevoked(SessionRevoked)
    case cutOff(CutOff)
    /// Any other event that a handler wants.
    case other(name: String)
    /// Why the body could not be decoded. Its key must be made from the body, so that it cannot have a real event's
    /// key.
    case undecodable(problem: String)

    /// What a store notes of it: the event's name, and why it could not be decoded.
    package var noted: (name: String?, problem: String?) {
      switch self {
      case .sessionRevoked(let revoked): (revoked.name, nil)
      case .cutOff: (EventNames.operatorCutOff, nil)
      case .other(let name): (name, nil)
      case .undecodable(let problem): (nil, problem)
      }
    }
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
  /// Made by `revoked send`: Dynamic was not heard of by it.
  package var isTest: Bool

  package init(
    key: EventKey, source: EventSource = .webhook, messageID: String?, body: [UInt8], receivedAt: Timestamp,
    occurredAt: Timestamp?, kind: Kind, isTest: Bool = false
  ) {
    self.key = key
    self.source = source
    self.messageID = messageID
    self.body = body
    self.receivedAt = receivedAt
    self.occurredAt = occurredAt
    self.kind = kind
    self.isTest = isTest
  }
}

/// Where an event came from.
package enum EventSource: String, Hashable, Sendable, CaseIterable {
  /// A delivery that Dynamic signed.
  case webhook
  /// A message that Dynamic signed and could not deliver, fetched from its API.
  case message
  /// An event that never became a message, fetched from its API over verified TLS.
  case event
  /// An operator's order.
  case `operator`
}

/// What a session event says. Only the session is certain to be there.
package struct SessionRevoked: Sendable {
  package var name: String
  /// The envelope's `eventId`, as it came.
  package var eventID: String?
  package var session: SessionID
  /// Named by the same event, where `data.id` stands more than once: revoked as well.
  package var otherSessions: [SessionID]
  package var by: RevokedBy
  package var revokedAt: Timestamp?
  package var createdAt: Timestamp?

  package init(
    name: String, eventID: String?, session: SessionID, otherSessions: [SessionID] = [], by: RevokedBy,
    revokedAt: Timestamp?, createdAt: Timestamp?
  ) {
    self.name = name
    self.eventID = eventID
    self.session = session
    self.otherSessions = otherSessions
    self.by = by
    self.revokedAt = revokedAt
    self.createdAt = createdAt
  }
}

/// The messageIds that an event arrived under, as one text with spaces between.
package struct MessageIDs {
  /// Dynamic sends one message per webhook and event; more than a handful is a replay, which must not grow the row.
  static let most = 16
  /// A UUID has 36 bytes. What is longer, or would not come apart again, is not recorded.
  static let longest = 64

  package private(set) var text: String

  package init(text: String = "") {
    self.text = text
  }

  /// Returns whether the text changed.
  @discardableResult
  package mutating func add(_ id: String?) -> Bool {
    guard let id, 1...Self.longest ~= id.utf8.count, id.utf8.allSatisfy({ 0x21...0x7E ~= $0 }) else { return false }
    if text.isEmpty {
      text = id
      return true
    }
    let known = text.split(separator: " ")
    guard known.count < Self.most, !known.contains(id[...]) else { return false }
    text += " " + id
    return true
  }
}

extension IncomingEvent {
  /// An event as it is stored, whichever way it came: there is no other way from a body to a revoked session.
  ///
  /// - Parameters:
  ///   - outline: of an event that is no ping, made from `body`, whose sender is certain.
  ///   - source: how it came.
  package init(
    _ outline: EventOutline, _ body: [UInt8], source: EventSource, receivedAt: Timestamp
  ) throws(OpenSSLFailure) {
    let bytes = body.span
    let kind: Kind =
      switch outline.kind {
      case .sessionRevoked(let session, let by):
        .sessionRevoked(
          SessionRevoked(
            name: by.eventName, eventID: outline.eventId?.text(in: bytes).asEventID, session: session,
            otherSessions: outline.otherSessions, by: by, revokedAt: outline.revokedAt, createdAt: outline.createdAt))
      case .ping, .other: .other(name: outline.eventName.text(in: bytes))
      }
    self.init(
      key: try outline.key(in: bytes), source: source, messageID: outline.messageId?.text(in: bytes),
      body: body, receivedAt: receivedAt, occurredAt: outline.timestamp, kind: kind,
      isTest: outline.isTest)
  }

  /// What Dynamic signed, and what cannot be decoded: kept as a dead letter.
  package init(
    undecodable body: [UInt8], _ reason: UndecodableReason, source: EventSource, receivedAt: Timestamp
  ) throws(OpenSSLFailure) {
    self.init(
      key: try EventKey(ofBody: body.span), source: source, messageID: nil, body: body,
      receivedAt: receivedAt, occurredAt: nil, kind: .undecodable(problem: reason.description))
  }
}

extension RevokedBy {
  /// Of the event that says so.
  fileprivate var eventName: String {
    switch self {
    case .user: EventNames.sessionRevoked
    case .admin: EventNames.adminSessionRevoked
    case .operator: EventNames.operatorSessionRevoked
    }
  }
}

extension String {
  /// `nil` for what is no id: look-ups repeat it.
  fileprivate var asEventID: String? { isEmpty || utf8.count > EventKey.maximumIDBytes ? nil : self }
}

/// What an operator orders: an event like Dynamic's, made here, that takes effect with its commit and reaches the
/// handlers.
package enum OperatorOrder: Hashable, Sendable {
  case revoke(SessionID)
  /// By the id of a user or of an environment.
  case cutOff(CutOff.Kind, UUIDBytes)

  /// The event to append. The order to revoke a session has one id however often it is given; each cut-off has its own,
  /// since each refuses more.
  package func event(at now: Timestamp) throws(OpenSSLFailure) -> IncomingEvent {
    let key = try key(at: now)
    let name: String
    let data: String
    let kind: IncomingEvent.Kind
    switch self {
    case .revoke(let session):
      name = EventNames.operatorSessionRevoked
      data = #""id":"\#(session)","revokedAt":"\#(now)""#
      kind = .sessionRevoked(
        SessionRevoked(
          name: name, eventID: key.uuidText, session: session, by: .operator, revokedAt: now, createdAt: nil))
    case .cutOff(let subject, let subjectID):
      name = EventNames.operatorCutOff
      data = #""\#(subject.memberName)":"\#(subjectID.uuidText)","before":"\#(now)""#
      kind = .cutOff(CutOff(subject, subjectID, before: now))
    }
    let body =
      #"{"eventId":"\#(key.uuidText)","eventName":"\#(name)","timestamp":"\#(now)","data":{\#(data)}}"#
    return IncomingEvent(
      key: key, source: .operator, messageID: nil, body: Array(body.utf8), receivedAt: now, occurredAt: now, kind: kind)
  }

  private func key(at now: Timestamp) throws(OpenSSLFailure) -> EventKey {
    let text =
      switch self {
      case .revoke(let session): "revoke \(session)"
      case .cutOff(let kind, let id): "cut off \(kind.rawValue) \(id.uuidText) \(now.milliseconds)"
      }
    return try EventKey(ofBody: Array(text.utf8).span)
  }
}

extension CutOff.Kind {
  /// The member that names the subject, in events, requests and the feed.
  package var memberName: String {
    switch self {
    case .user: "userId"
    case .environment: "environmentId"
    }
  }
}
