internal import Receiver
internal import Storage

extension EventReport {
  /// - Parameter handlers: as they are configured, which tells those that do not want the event.
  init(_ event: EventSummary, _ handlers: [HandlerDefinition]) {
    self.init(event) { name in handlers.first { $0.name == name }?.wants(event.name) }
  }
}

extension EventReport: Report {
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

extension BodyText {
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

extension WithBody where Content: Report {
  func show(json: Bool, isFirst: Bool) throws {
    if json { return try Output.line(JSON.line(self)) }
    try Output.line((isFirst ? "" : "\n") + report.lines.joined(separator: "\n") + "\n\n" + body.visible)
  }
}
