import Foundation

/// The fields of an event as Foundation's `JSONDecoder` reads them, with the same leniency as ours: another type is
/// absent. What says which sessions were revoked is read from every member, since a handler may read the one that
/// Foundation does not.
struct FoundationEvent: Decodable {
  /// By name; those of `data` as `data.` and their name.
  private(set) var strings: [String: String] = [:]
  private(set) var redelivery = false
  /// Each once, in lower case.
  private(set) var sessions: [String] = []

  static let envelope = [
    "eventId", "messageId", "webhookId", "eventName", "environmentId", "environmentName", "timestamp", "userId",
    "externalUserId",
  ]
  static let session = ["id", "createdAt", "ipAddress", "userAgent", "revokedAt"]

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Name.self)
    for name in Self.envelope { strings[name] = try? container.decode(String.self, forKey: Name(stringValue: name)) }
    redelivery = (try? container.decode(Bool.self, forKey: Name(stringValue: "redelivery"))) ?? false
    let data = try? container.nestedContainer(keyedBy: Name.self, forKey: Name(stringValue: "data"))
    for name in Self.session {
      strings["data." + name] = try? data?.decode(String.self, forKey: Name(stringValue: name))
    }
  }

  func reading(_ tree: JSONTree?) -> FoundationEvent {
    guard let tree else { return self }
    var event = self
    for id in tree["data"].flatMap({ $0["id"] }).compactMap(\.string) where EventCheck.isSessionID(id) {
      if !event.sessions.contains(id.lowercased()) { event.sessions.append(id.lowercased()) }
    }
    let names = tree["eventName"].compactMap(\.string)
    if !EventCheck.isSession(strings["eventName"] ?? ""), let name = names.first(where: EventCheck.isSession) {
      event.strings["eventName"] = name
    }
    return event
  }

  private struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }
}
