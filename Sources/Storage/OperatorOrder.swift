package import DynamicEvents
package import Signature

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
