package import DynamicEvents
package import Signature

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
