package import DynamicAPI
internal import DynamicEvents

/// Which of an environment's webhooks is the one whose deliveries come here.
package struct WebhookChoice: Sendable {
  /// The events that say that a session was revoked: a webhook lets revocations be known only with both.
  package static let events = [EventNames.sessionRevoked, EventNames.adminSessionRevoked]

  /// The one with this id and no other; `nil`: it is found by its URL.
  package var id: String?
  /// Where Dynamic posts to; `nil`: not known.
  package var publicURL: String?
  /// The path of the public listener.
  package var path: String

  package init(id: String?, publicURL: String?, path: String) {
    self.id = id
    self.publicURL = publicURL
    self.path = path
  }

  /// The webhook with the id, else the one with the URL, else the only one that has both events and whose URL ends in
  /// the path.
  package func webhook(in all: [Webhook]) -> Webhook? {
    if let id { return all.first { $0.id == id } }
    if let publicURL {
      // During a rotation there are two.
      let same = all.filter { $0.url == publicURL }
      return same.first { $0.isUsable } ?? same.first
    }
    let likely = all.filter { $0.missingEvents.isEmpty && $0.url.hasSuffix(path) }
    return likely.count == 1 ? likely[0] : nil
  }

  /// Those whose messages are meant for here: ours, and others on the same URL.
  package func sources(in all: [Webhook]) -> [Webhook] {
    guard let ours = webhook(in: all) else { return [] }
    return all.filter { $0.id == ours.id || ($0.url == ours.url && !ours.url.isEmpty) }
  }

  /// Why revocations cannot come by the webhook; `nil`: they can.
  package func problem(in all: [Webhook]) -> WebhookProblem? {
    guard let webhook = webhook(in: all) else {
      return id == nil && publicURL == nil && !all.isEmpty ? .notFound(of: all.count) : .missing
    }
    if webhook.isEnabled == false { return .disabled }
    if let publicURL, webhook.url != publicURL { return .elsewhere(url: webhook.url) }
    if !webhook.missingEvents.isEmpty { return .lacks(webhook.missingEvents) }
    return nil
  }
}

/// Why a webhook does not bring revocations here.
package enum WebhookProblem: Hashable, Sendable, CustomStringConvertible {
  case missing
  /// There are so many, and which of them is ours cannot be told.
  case notFound(of: Int)
  case disabled
  case elsewhere(url: String)
  case lacks([String])

  package var description: String {
    switch self {
    case .missing: "there is no webhook for this receiver at Dynamic: `revoked webhook register` makes one"
    case .notFound(let count):
      "which of \(count) webhooks at Dynamic is this receiver's cannot be told: set dynamic.webhook-id or public-url"
    case .disabled:
      "the webhook is switched off at Dynamic, which skips its events: `revoked webhook enable`, or dynamic.re-enable"
    case .elsewhere(let url): "the webhook at Dynamic posts to another URL than public-url: \(Self.plain(url))"
    case .lacks(let events): "the webhook at Dynamic does not have the events \(events.joined(separator: " and "))"
    }
  }

  /// A peer's text, on its way to a log.
  private static func plain(_ text: String) -> String {
    String(decoding: text.utf8.prefix(200).map { (0x21...0x7E).contains($0) ? $0 : 0x3F }, as: UTF8.self)
  }
}

extension Webhook {
  /// Of the two that say that a session was revoked.
  package var missingEvents: [String] { WebhookChoice.events.filter { !events.contains($0) } }

  fileprivate var isUsable: Bool { isEnabled != false && missingEvents.isEmpty }
}
