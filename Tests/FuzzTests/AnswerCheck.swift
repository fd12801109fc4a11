import DynamicEvents
import Foundation
import Outgoing

@testable import DynamicAPI

/// What must hold of the readers of Dynamic's answers, for any bytes whatsoever: they find what another reader finds,
/// and what they hand on is JSON again.
enum AnswerCheck {
  static func violation(_ body: [UInt8]) -> String? {
    let value = JSONValue(body)
    let isJSON = (try? JSONReader.validate(body.span)) != nil
    guard (value != nil) == isJSON else { return "JSON: \(isJSON), read: \(value != nil)" }
    if let reason = APIError.reason(in: body) {
      guard reason.utf8.count <= 200, reason.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
        return "the reason of an error holds what a terminal might obey"
      }
    }
    guard let value, let tree = JSONTree(body) else { return nil }
    return difference(value, tree, depth: 0) ?? records(value) ?? value.elements?.compactMap(records).first
  }

  /// Compares a value with the same one as another reader finds it, and so each value within, down to a depth that the
  /// other one's recursion can take.
  private static func difference(_ value: JSONValue, _ tree: JSONTree, depth: Int) -> String? {
    let compact = value.compact
    guard let again = JSONValue(compact) else { return "compact is no JSON" }
    guard again.compact == compact else { return "compact is not the shortest" }
    if case .string(let text) = tree {
      guard let found = value.string, found.utf8.elementsEqual(text.utf8) else {
        return "a string is \(String(describing: value.string)), should be \(text)"
      }
    } else if value.string != nil {
      return "no string, and read as one"
    }
    switch tree {
    case .object(let members):
      guard value.isObject, value.elements == nil else { return "an object is none" }
      var seen: Set<[UInt8]> = []
      for member in members where seen.insert(Array(member.name.utf8)).inserted {
        guard depth < 8 else { continue }
        guard let found = value[member.name] else { return "the member \(member.name) is not found" }
        if let text = difference(found, member.value, depth: depth + 1) { return text }
      }
    case .array(let elements):
      guard let found = value.elements, found.count == elements.count else { return "an array is none" }
      guard depth < 8 else { return nil }
      for (found, element) in zip(found, elements) {
        if let text = difference(found, element, depth: depth + 1) { return text }
      }
    case .string, .other:
      guard !value.isObject, value.elements == nil else { return "neither object nor array, and read as one" }
    }
    return nil
  }

  /// What is made of an item of a list.
  private static func records(_ item: JSONValue) -> String? {
    if let event = ListedEvent(item), JSONValue(event.body) == nil { return "an event's body is no JSON" }
    if let message = WebhookMessage(item) {
      _ = message.wasDelivered
      if message.body != nil, item["request"] == nil { return "a body without a request" }
    }
    if let webhook = Webhook(item), item["webhookId"] == nil, item["id"] == nil {
      return "a webhook without an id: \(webhook)"
    }
    return nil
  }
}

/// What must hold of a pause that a peer asks for, for any bytes whatsoever.
enum RetryAfterCheck {
  private static let now = Date(timeIntervalSince1970: 1_790_000_000)

  static func violation(_ input: [UInt8]) -> String? {
    let text = String(decoding: input, as: UTF8.self)
    let pause = RetryAfter.pause(text, now: now)
    if let pause, !(Duration.zero...Duration.seconds(10_000_000)).contains(pause) { return "a pause of \(pause)" }
    if !text.isEmpty, text.utf8.count <= 9, let seconds = Int(text), text.utf8.first != UInt8(ascii: "+"), seconds >= 0
    {
      // "-0" is no number of seconds.
      guard text.utf8.first != UInt8(ascii: "-") else { return pause == nil ? nil : "a sign is taken" }
      return pause == .seconds(min(seconds, 10_000_000)) ? nil : "\(text) is \(String(describing: pause))"
    }
    return nil
  }
}
