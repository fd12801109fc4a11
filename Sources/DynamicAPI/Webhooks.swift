internal import DynamicEvents
internal import Foundation
internal import Outgoing

/// One registered webhook.
package struct Webhook: Sendable {
  package let id: String
  package let url: String
  package let events: [String]
  /// `nil`: the API does not say.
  package let isEnabled: Bool?
  package let enabledAt: String?
  package let updatedAt: String?
  /// Only where it was asked for.
  package let secret: String?

  init?(_ value: JSONValue) {
    guard let id = value["webhookId"]?.string ?? value["id"]?.string else { return nil }
    self.id = id
    url = value["url"]?.string ?? ""
    events = value["events"]?.elements?.compactMap(\.string) ?? []
    isEnabled = value["isEnabled"]?.boolean
    enabledAt = value["enabledAt"]?.string
    updatedAt = value["updatedAt"]?.string
    secret = value["secret"]?.string
  }
}

extension DynamicAPI {
  /// All of the environment.
  package func webhooks() async throws(APIError) -> [Webhook] {
    var pages = Pages(self, path("webhooks"))
    var found: [Webhook] = []
    while let page = try await pages.next() {
      for webhook in page.compactMap(Webhook.init) where !found.contains(where: { $0.id == webhook.id }) {
        found.append(webhook)
      }
    }
    return found
  }

  package func webhook(_ id: String, withSecret: Bool = false) async throws(APIError) -> Webhook {
    try webhook(
      in: await call(
        .get, path("webhooks", id), query: withSecret ? [("includeSecret", "true")] : [], isRepeatable: true))
  }

  /// Not tried again once it may have arrived: there would be two.
  package func createWebhook(url: String, events: [String]) async throws(APIError) -> Webhook {
    try webhook(
      in: await call(
        .post, path("webhooks"), body: Self.body(url: url, isEnabled: true, events: events), isRepeatable: false))
  }

  /// Replaces all three: the API has no call that changes one alone.
  package func updateWebhook(
    _ id: String, url: String, isEnabled: Bool, events: [String]
  ) async throws(APIError) -> Webhook {
    try webhook(
      in: await call(
        .put, path("webhooks", id), body: Self.body(url: url, isEnabled: isEnabled, events: events), isRepeatable: true)
    )
  }

  package func deleteWebhook(_ id: String) async throws(APIError) {
    _ = try await call(.delete, path("webhooks", id), isRepeatable: true)
  }

  private func webhook(in response: OutgoingResponse) throws(APIError) -> Webhook {
    guard let webhook = JSONValue(response.body).flatMap(Webhook.init) else {
      throw .unreadable("no webhook in the body")
    }
    return webhook
  }

  private static func body(url: String, isEnabled: Bool, events: [String]) -> [UInt8] {
    struct Fields: Encodable {
      let url: String
      let isEnabled: Bool
      let events: [String]
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
    // Texts and a Boolean always encode.
    return (try? encoder.encode(Fields(url: url, isEnabled: isEnabled, events: events))).map(Array.init) ?? []
  }
}
