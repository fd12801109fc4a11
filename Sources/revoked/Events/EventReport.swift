internal import DynamicEvents
internal import Foundation
internal import RevocationStore

/// A stored event, as `events` shows it.
struct EventReport: Encodable {
  struct Handler: Encodable {
    let name: String
    let state: String
    var attempts: Int?
    var retryAt: String?
    var error: String?

    init(_ handler: EventSummary.Handler, isUnwanted: Bool) {
      name = handler.name
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

  let seq: Int64
  /// Absent when it could not be decoded; then `problem` says why.
  let name: String?
  let problem: String?
  let source: String
  let eventId: String?
  let sessionId: String?
  let messageIds: [String]
  let receivedAt: String
  let occurredAt: String?
  let handlers: [Handler]

  /// - Parameter handlers: as they are configured, which tells those that do not want the event.
  init(_ event: EventSummary, _ handlers: [HandlerDefinition]) {
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
    self.handlers = event.handlers.map { handler in
      let definition = handlers.first { $0.name == handler.name }
      return Handler(handler, isUnwanted: definition?.wants(event.name) == false)
    }
  }
}

extension EventReport {
  static let header = "EVENT".column(10) + " " + "RECEIVED".column(24) + " " + "NAME".column(26) + " HANDLERS"

  /// The last column is whatever length it is.
  var row: String {
    ["\(seq)".column(10), receivedAt.column(24), (name ?? "(undecodable)").visible().column(26), standing]
      .joined(separator: " ")
  }

  /// How many handlers are how far; those that are done only if all are.
  private var standing: String {
    if handlers.isEmpty { return "-" }
    let open = ["dead", "retrying", "waiting"].compactMap { state -> String? in
      let count = handlers.count { $0.state == state }
      return count == 0 ? nil : "\(count) \(state)"
    }
    return open.isEmpty ? "done" : open.joined(separator: ", ")
  }

  /// A line each, for people.
  var lines: [String] {
    var fields: [(String, String?)] = [
      ("event", "\(seq)"), ("name", name), ("problem", problem), ("source", source), ("event id", eventId),
      ("session", sessionId), ("received", receivedAt), ("occurred", occurredAt),
    ]
    fields += messageIds.map { ("message", $0) }
    fields += handlers.map { ("handler", $0.text) }
    return fields.compactMap { name, value in value.map { name.column(9) + $0.visible() } }
  }
}

extension EventReport.Handler {
  fileprivate var text: String {
    var text = "\(name): \(state)"
    if let attempts { text += " after \(attempts) attempt\(attempts == 1 ? "" : "s")" }
    if let retryAt { text += ", next at \(retryAt)" }
    if let error { text += ": \(error)" }
    return text
  }
}

/// A stored body for machines: as it came if it is text, else in base64.
struct BodyText: Encodable {
  private enum CodingKeys: CodingKey {
    case body, bodyBase64
  }

  let bytes: [UInt8]

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    if let text = String(validating: bytes, as: UTF8.self) {
      try container.encode(text, forKey: .body)
    } else {
      try container.encode(Data(bytes).base64EncodedString(), forKey: .bodyBase64)
    }
  }

  /// For people: what is no text shows as U+FFFD.
  var visible: String { String(decoding: bytes, as: UTF8.self).visible(keepingLines: true) }
}

/// A report, and the body of its event beside it.
struct WithBody<Report: Encodable>: Encodable {
  let report: Report
  let body: BodyText

  func encode(to encoder: any Encoder) throws {
    try report.encode(to: encoder)
    try body.encode(to: encoder)
  }
}
