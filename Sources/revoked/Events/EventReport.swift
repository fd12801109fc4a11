internal import DynamicEvents
internal import Foundation
internal import RevocationStore

/// A stored event, as `events` shows it.
struct EventReport: Report {
  struct Handler: Encodable {
    let handler: String
    let state: String
    var attempts: Int?
    var retryAt: String?
    var error: String?

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
  var rows: [String] {
    let columns = [
      "\(seq)".column(10), receivedAt.column(24), (name ?? "(undecodable)").visible().column(26), standing,
    ]
    return [columns.joined(separator: " ")]
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
      ("seq", "\(seq)"), ("name", name), ("problem", problem), ("source", source), ("eventId", eventId),
      ("sessionId", sessionId), ("received", receivedAt), ("occurred", occurredAt),
    ]
    fields += messageIds.map { ("messageId", $0) }
    fields += handlers.map { ("handler", $0.text) }
    return fields.compactMap { name, value in value.map { name.column(11) + $0.visible() } }
  }
}

extension EventReport.Handler {
  fileprivate var text: String {
    var text = "\(handler): \(state)"
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

/// What a command shows of a stored thing: an object for machines, lines and rows for people.
protocol Report: Encodable {
  /// Of a list, an entry's rows under the header. Mostly one.
  var rows: [String] { get }
  /// All that is known, a line each.
  var lines: [String] { get }
}

/// A report, and the body of its event beside it.
struct WithBody<Content: Report>: Encodable {
  let report: Content
  let body: BodyText

  func encode(to encoder: any Encoder) throws {
    try report.encode(to: encoder)
    try body.encode(to: encoder)
  }

  func show(json: Bool, isFirst: Bool) throws {
    if json { return try Output.line(JSON.line(self)) }
    try Output.line((isFirst ? "" : "\n") + report.lines.joined(separator: "\n") + "\n\n" + body.visible)
  }
}
