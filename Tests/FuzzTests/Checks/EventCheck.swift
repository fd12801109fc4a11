import DynamicEvents
import Foundation
import Signature

/// What must hold of the decoders of an event for any bytes whatsoever: they agree with each other and with Foundation.
enum EventCheck {
  static func violation(_ body: [UInt8]) -> String? {
    let event = Result { () throws(UndecodableReason) in try Event(body: body) }
    let outline = Result { () throws(UndecodableReason) in try EventOutline(body.span) }
    let isJSON = (try? JSONSerialization.jsonObject(with: Data(body), options: .fragmentsAllowed)) != nil

    if case .failure(.notJSON(let error)) = event {
      guard case .failure(.notJSON(error)) = outline else { return "event: \(error), outline: \(outline)" }
      guard (0...body.count).contains(error.offset) else { return "an error at byte \(error.offset) of \(body.count)" }
      return isJSON && !JSONDifference.explains(body, ours: error) ? "Foundation takes it, we say: \(error)" : nil
    }
    guard isJSON else { return JSONDifference.explains(body, ours: nil) ? nil : "we take it, Foundation does not" }

    let theirs = (try? JSONDecoder().decode(FoundationEvent.self, from: Data(body))).map { event in
      event.reading(JSONTree(body))
    }
    switch (event, outline) {
    case (.failure(let left), .failure(let right)):
      let reason = reason(theirs)
      return left == right && left == reason
        ? nil : "event: \(left), outline: \(right), should be: \(String(describing: reason))"
    case (.success(let event), .success(let outline)):
      guard let theirs, reason(theirs) == nil else {
        return "taken, but should be: \(String(describing: reason(theirs)))"
      }
      return difference(event, theirs) ?? difference(outline, event, body) ?? difference(outline, theirs)
    default: return "event: \(event), outline: \(outline)"
    }
  }

  /// Why a body that is JSON cannot be used; `nil` when it can.
  private static func reason(_ theirs: FoundationEvent?) -> UndecodableReason? {
    guard let theirs else { return .notAnObject }
    guard let name = theirs.strings["eventName"] else { return .noEventName }
    return isSession(name) && theirs.sessions.isEmpty ? .noSessionID : nil
  }

  static func isSession(_ name: String) -> Bool {
    name.utf8.elementsEqual("user.session.revoked".utf8) || name.utf8.elementsEqual("admin.user.session.revoked".utf8)
  }

  static func isSessionID(_ text: String) -> Bool {
    guard text.utf8.count == 36 else { return false }
    return text.utf8.enumerated().allSatisfy { position, byte in
      [8, 13, 18, 23].contains(position) ? byte == UInt8(ascii: "-") : "0123456789abcdefABCDEF".utf8.contains(byte)
    }
  }

  private static func difference(_ outline: EventOutline, _ theirs: FoundationEvent) -> String? {
    guard case .sessionRevoked(let session, _) = outline.kind else {
      return outline.otherSessions.isEmpty ? nil : "no session was revoked, but others were"
    }
    let ours = ([session] + outline.otherSessions).map(\.description)
    return ours == theirs.sessions ? nil : "the sessions are \(ours), should be \(theirs.sessions)"
  }

  private static func difference(_ event: Event, _ theirs: FoundationEvent) -> String? {
    let envelope = event.envelope
    var fields = [
      ("eventId", envelope.eventId), ("messageId", envelope.messageId), ("webhookId", envelope.webhookId),
      ("eventName", envelope.eventName), ("environmentId", envelope.environmentId),
      ("environmentName", envelope.environmentName), ("userId", envelope.userId),
      ("externalUserId", envelope.externalUserId),
      ("redelivery", String(envelope.redelivery)),
    ]
    var times = [("timestamp", envelope.timestamp)]
    let name = theirs.strings["eventName"] ?? ""
    switch event.payload {
    case .sessionRevoked(let session, let revokedBy):
      guard isSession(name), name.hasPrefix("admin.") == (revokedBy == .admin) else { return "payload \(revokedBy)" }
      fields += [
        ("data.ipAddress", session.ipAddress),
        ("data.userAgent", session.userAgent),
      ]
      times += [("data.createdAt", session.createdAt), ("data.revokedAt", session.revokedAt)]
    case .ping: if name != "ping" { return "payload ping" }
    case .unknown: if isSession(name) || name == "ping" { return "payload unknown" }
    }
    // As bytes: two strings that differ in their normal form alone are equal to Swift.
    for (field, value) in fields {
      let expected = field == "redelivery" ? String(theirs.redelivery) : theirs.strings[field]
      if value.map({ Array($0.utf8) }) != expected.map({ Array($0.utf8) }) {
        return "\(field) is \(String(describing: value)), Foundation's is \(String(describing: expected))"
      }
    }
    for (field, value) in times where value != theirs.strings[field].flatMap({ Timestamp($0) }) {
      return "\(field) differs"
    }
    return nil
  }

  private static func difference(_ outline: EventOutline, _ event: Event, _ body: [UInt8]) -> String? {
    let envelope = event.envelope
    let span = body.span
    guard outline.eventName.text(in: span) == envelope.eventName, outline.eventId?.text(in: span) == envelope.eventId,
      outline.messageId?.text(in: span) == envelope.messageId, outline.timestamp == envelope.timestamp
    else { return "outline and event differ in the envelope" }
    switch (outline.kind, event.payload) {
    case (.sessionRevoked(let id, by: let by), .sessionRevoked(let session, by: let revokedBy)):
      guard id == session.id, by == revokedBy, outline.createdAt == session.createdAt,
        outline.revokedAt == session.revokedAt
      else { return "outline and event differ in the session" }
    case (.ping, .ping), (.other, .unknown): break
    default: return "outline and event differ in what they are"
    }
    do throws(OpenSSLFailure) {
      let key = try envelope.eventId.flatMap { id throws(OpenSSLFailure) in try EventKey(eventId: Array(id.utf8).span) }
      let expected = if let key { key } else { try EventKey(ofBody: span) }
      return try outline.key(in: span) == expected ? nil : "the key is another than the event id's"
    } catch {
      return error.description
    }
  }
}
