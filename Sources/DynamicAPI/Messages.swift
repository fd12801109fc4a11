package import DynamicEvents
internal import Outgoing

/// One attempt to deliver a message. Several share a `messageID`; the newest counts.
package struct WebhookMessage: Sendable {
  package let messageID: String
  package let eventID: String?
  /// Without a list of what it may be; `failed` was seen.
  package let status: String?
  package let createdAt: Timestamp?
  /// What the endpoint answered.
  package let responseStatus: Int?
  /// What was sent, byte for byte if the API kept it so.
  package let body: [UInt8]?
  /// The value of `x-dynamic-signature-256` that was sent with it.
  package let signature: String?

  init?(_ value: JSONValue) {
    guard let id = value["messageId"]?.string else { return nil }
    messageID = id
    eventID = value["eventId"]?.string
    status = value["status"]?.string
    createdAt = (value["createdAt"] ?? value["messageCreatedAt"])?.string.flatMap { Timestamp($0.utf8.span) }
    responseStatus = Self.parsed(value["response"])?["status"]?.integer
    let request = Self.parsed(value["request"])
    // A text is what was sent. An object was parsed, and has to be written again as it was.
    let sent = request?["body"]
    body = sent?.string.map { Array($0.utf8) } ?? (sent?.isObject == true ? sent?.compact : nil)
    let field = Self.parsed(request?["headers"])?[ignoringCase: "x-dynamic-signature-256"]
    signature = field?.string ?? field?.elements?.first?.string
  }

  /// Whether the endpoint took it. Everything else may be missing, and is worth a look.
  package var wasDelivered: Bool {
    if let responseStatus { return (200...299).contains(responseStatus) }
    return ["success", "succeeded", "delivered", "ok"].contains(status?.lowercased())
  }

  /// Newer records hold a JSON text, older ones what it says.
  private static func parsed(_ value: JSONValue?) -> JSONValue? {
    guard let text = value?.string else { return value }
    return JSONValue(Array(text.utf8))
  }
}

extension DynamicAPI {
  /// The attempts of all messages, in an order that is not documented.
  package func messages(of webhook: String) -> MessagePages {
    MessagePages(pages: Pages(self, path("webhooks", webhook, "messages")))
  }

  /// All attempts of one message.
  package func message(_ id: String, of webhook: String) async throws(APIError) -> [WebhookMessage] {
    var pages = Pages(self, path("webhooks", webhook, "messages", id))
    var found: [WebhookMessage] = []
    while let page = try await pages.next() { found += page.compactMap(WebhookMessage.init) }
    return found
  }

  /// Not tried again once it may have arrived: it would be delivered twice.
  package func redeliver(_ message: String, of webhook: String) async throws(APIError) {
    _ = try await call(.post, path("webhooks", webhook, "messages", message, "redeliver"), isRepeatable: false)
  }
}

package struct MessagePages: Sendable {
  fileprivate var pages: Pages

  /// The next page; `nil` at the end. Each item is read when it is asked for, since a whole page takes milliseconds.
  package mutating func next() async throws(APIError) -> (some Sequence<WebhookMessage>)? {
    try await pages.next()?.lazy.compactMap(WebhookMessage.init)
  }
}
