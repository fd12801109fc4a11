import Foundation

/// The fields of an event as Foundation's `JSONDecoder` reads them, with the same leniency as ours: another type is
/// absent.
struct FoundationEvent: Decodable {
  /// By name; those of `data` as `data.` and their name.
  private(set) var strings: [String: String] = [:]
  private(set) var redelivery = false

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

  private struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }
}
