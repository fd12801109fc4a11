internal import DynamicEvents
internal import Logging
internal import Storage

extension Logger {
  /// One line for an event that was stored, whichever way it came.
  func log(_ event: IncomingEvent, _ outcome: AppendOutcome) {
    switch event.kind {
    case .sessionRevoked(let revoked):
      for session in [revoked.session] + revoked.otherSessions {
        info(
          outcome == .accepted ? "session revoked" : "duplicate",
          metadata: [
            "sessionId": "\(session)", "by": "\(revoked.by.rawValue)", "eventId": "\(clipped(revoked.eventID))",
            "messageId": "\(clipped(event.messageID))", "source": .string(event.source.rawValue),
          ])
      }
    // Not ordered by a webhook.
    case .cutOff: break
    case .other(let name):
      info(
        outcome == .accepted ? "event stored" : "duplicate",
        metadata: [
          "event": "\(clipped(name))", "messageId": "\(clipped(event.messageID))",
          "source": .string(event.source.rawValue),
        ])
    case .undecodable(let problem):
      error(
        "a signed delivery cannot be decoded; kept as a dead letter",
        metadata: [
          "reason": "\(problem)", "bytes": .stringConvertible(event.body.count),
          "source": .string(event.source.rawValue),
        ])
    }
  }
}
