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

/// The URLs that Dynamic lets a webhook have: its pattern, `https://`, a host of lower-case labels whose last one has 2
/// to 10 letters, and nothing or a path behind it.
package enum WebhookURL {
  /// Why Dynamic would refuse the URL; `nil`: it would not.
  package static func objection(to url: String) -> String? {
    guard url.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      return "holds a space or a character that must be percent-encoded"
    }
    guard url.hasPrefix("https://") else { return "does not begin with https://, which is all that Dynamic posts to" }
    let rest = url.dropFirst("https://".count)
    let authority = rest.prefix { !"/?#".contains($0) }
    let behind = rest.dropFirst(authority.count)
    if authority.isEmpty { return "names no host" }
    if authority.contains("@") { return "holds a user or a password, which Dynamic does not take" }
    if authority.hasPrefix("[") { return "names an address; Dynamic posts to names only" }
    if authority.contains(":") { return "names a port; Dynamic posts to 443 only" }
    if behind.first == "?" || behind.first == "#" { return "has no path before its \(behind.prefix(1))" }
    return objection(toHost: authority)
  }

  private static func objection(toHost host: Substring) -> String? {
    if host.contains(where: \.isUppercase) { return "names its host in capitals; write \(host.lowercased())" }
    let labels = host.split(separator: ".", omittingEmptySubsequences: false)
    guard let last = labels.last, labels.count > 1 else {
      return "names the host \(host), which is not a name on the Internet"
    }
    if labels.allSatisfy({ !$0.isEmpty && $0.allSatisfy(\.isNumber) }) {
      return "names an address; Dynamic posts to names only"
    }
    guard (2...10).contains(last.count), last.allSatisfy({ ("a"..."z").contains($0) }) else {
      return "names a host that ends in .\(last); Dynamic takes 2 to 10 letters there"
    }
    let isName = labels.allSatisfy { label in
      !label.isEmpty && label.first != "-" && label.last != "-"
        && label.allSatisfy { ("a"..."z").contains($0) || ("0"..."9").contains($0) || $0 == "-" }
    }
    return isName ? nil : "names a host that Dynamic does not take: a-z, 0-9, - and . between them"
  }
}
