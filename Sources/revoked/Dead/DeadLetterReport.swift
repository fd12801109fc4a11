internal import Receiver

extension DeadLetterReport: Report {
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
