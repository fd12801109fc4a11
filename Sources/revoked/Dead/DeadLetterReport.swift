internal import RevocationStore

/// A dead letter, as `dead` shows it.
struct DeadLetterReport: Report {
  let id: String
  /// The event's number.
  let seq: Int64
  /// Absent when the event could not be decoded, and so reached no handler.
  let handler: String?
  let name: String?
  let receivedAt: String
  let diedAt: String
  let attempts: Int
  let attemptTimes: [String]
  let error: String

  init(_ letter: DeadLetter) {
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

extension DeadLetterReport {
  private static let idWidth = 20

  static let header = "ID".column(idWidth) + " " + "DIED".column(24) + " ATTEMPTS ERROR"

  /// The error is whole. So is the id, as it is what the other commands take: a long one has a line of its own.
  var rows: [String] {
    let id = id.visible()
    let rest = " \(diedAt) " + "\(attempts)".column(8) + " " + error.visible()
    if id.utf8.count <= Self.idWidth { return [id.column(Self.idWidth) + rest] }
    return [id, "".column(Self.idWidth) + rest]
  }

  /// A line each, for people.
  var lines: [String] {
    var fields: [(String, String?)] = [
      ("id", id), ("name", name), ("received", receivedAt), ("died", diedAt), ("error", error),
      ("attempts", handler == nil ? nil : "\(attempts)"),
    ]
    fields += attemptTimes.map { ("failed", $0) }
    return fields.compactMap { name, value in value.map { name.column(9) + $0.visible() } }
  }
}
