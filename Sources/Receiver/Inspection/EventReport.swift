internal import DynamicEvents
internal import Foundation
package import Storage

/// A stored event as JSON, as `/v1/events` and the command `events` show it.
package struct EventReport: Encodable, Sendable {
  package struct Handler: Encodable, Sendable {
    package let handler: String
    package let state: String
    package var attempts: Int?
    package var retryAt: String?
    package var error: String?

    init(_ handler: EventSummary.Handler, isUnwanted: Bool) {
      self.handler = handler.name
      switch handler.state {
      // The store only knows that nothing is left to do.
      case .done: state = isUnwanted ? "not wanted" : "done"
      case .waiting: state = "waiting"
      case .retrying(let attempts, let at, let error):
        state = "retrying"
        (self.attempts, retryAt, self.error) = (attempts, "\(at)", error)
      case .dead(let attempts, let error):
        state = "dead"
        (self.attempts, self.error) = (attempts, error)
      }
    }
  }

  package let seq: Int64
  /// Absent when it could not be decoded; then `problem` says why.
  package let name: String?
  package let problem: String?
  package let source: String
  package let eventId: String?
  package let sessionId: String?
  package let messageIds: [String]
  package let receivedAt: String
  package let occurredAt: String?
  package let handlers: [Handler]

  /// - Parameter wants: whether a handler, as it is configured, wants events of this one's name; `nil`: it is not
  ///   configured.
  package init(_ event: EventSummary, wants: (_ handler: String) -> Bool?) {
    seq = event.seq
    name = event.name
    problem = event.problem
    source = event.source.rawValue
    let decoded = event.problem == nil ? try? Event(body: event.body) : nil
    eventId = decoded?.envelope.eventId
    if case .sessionRevoked(let session, _)? = decoded?.payload {
      sessionId = session.id.description
    } else {
      sessionId = nil
    }
    messageIds = event.messageIDs
    receivedAt = "\(event.receivedAt)"
    occurredAt = event.occurredAt.map { "\($0)" }
    handlers = event.handlers.map { Handler($0, isUnwanted: wants($0.name) == false) }
  }
}

/// A dead letter as JSON, as `/v1/dead-letters` and the command `dead` show it.
package struct DeadLetterReport: Encodable, Sendable {
  package let id: String
  /// The event's number.
  package let seq: Int64
  /// Absent when the event could not be decoded, and so reached no handler.
  package let handler: String?
  package let name: String?
  package let receivedAt: String
  package let diedAt: String
  package let attempts: Int
  package let attemptTimes: [String]
  package let error: String

  package init(_ letter: DeadLetter) {
    id = letter.id.description
    seq = letter.id.event
    handler = letter.id.handler
    name = letter.eventName
    receivedAt = "\(letter.receivedAt)"
    diedAt = "\(letter.diedAt)"
    attempts = letter.attempts
    attemptTimes = letter.attemptTimes.map { "\($0)" }
    error = letter.error
  }
}

/// A stored body as JSON: as it came if it is text, else in base64.
package struct BodyText: Encodable, Sendable {
  private enum CodingKeys: CodingKey {
    case body, bodyBase64
  }

  package let bytes: [UInt8]

  package init(bytes: [UInt8]) {
    self.bytes = bytes
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    if let text = String(validating: bytes, as: UTF8.self) {
      try container.encode(text, forKey: .body)
    } else {
      try container.encode(Data(bytes).base64EncodedString(), forKey: .bodyBase64)
    }
  }
}

/// A report, and the body of its event beside it.
package struct WithBody<Content: Encodable>: Encodable {
  package let report: Content
  package let body: BodyText

  package init(report: Content, body: BodyText) {
    self.report = report
    self.body = body
  }

  package func encode(to encoder: any Encoder) throws {
    try report.encode(to: encoder)
    try body.encode(to: encoder)
  }
}
