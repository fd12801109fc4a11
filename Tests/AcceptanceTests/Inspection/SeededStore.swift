import DynamicEvents
import RevocationStore
import Storage
import TestSupport

/// A store as a server leaves it whose handler `audit` gave some events up.
struct SeededStore {
  static let error = "exit status 1: \u{1B}[31m\u{202E}no\u{7F}\u{9B}"
  static let undecodable = #"{"eventName":"user.session.revoked","data":{"id":"\#u{1B}]0;title\#u{07}"}}"#

  let folder: TemporaryFolder
  /// By the events' numbers, from 1.
  private(set) var sessions: [String] = []

  /// - Parameter events: every one of them a dead letter of `audit`. Behind them stands one that cannot be decoded.
  /// - Parameter start: when they came, in milliseconds: 2026-09-21T14:13:20Z, when their sessions may be forgotten
  ///   by now, or another time.
  init(events count: Int, handler: String = "audit", at start: Int64 = 1_790_000_000_000) throws {
    folder = try TemporaryFolder()
    let store = try RevocationStore(data: folder.data, mode: .serve)
    let start = Timestamp(milliseconds: start)
    let id = try store.handlerPosition(registering: handler, at: start).id
    sessions = (1...count).map { "3f0c6f6e-1c3a-4f0b-9a52-\(String($0 + 0x1000_0000_0000, radix: 16))" }
    let incoming = try sessions.compactMap { session -> IncomingEvent? in
      let body = Array(DeliveryTests.event(session: session, eventId: "event-of-\(session)").utf8)
      let event = try Event(body: body)
      guard case .sessionRevoked(let revoked, let by) = event.payload else { return nil }
      return try IncomingEvent(
        key: EventOutline(body.span).key(in: body.span), messageID: "m1", body: body, receivedAt: start,
        occurredAt: event.envelope.timestamp,
        kind: .sessionRevoked(
          SessionRevoked(
            name: event.envelope.eventName, eventID: event.envelope.eventId, session: revoked.id, by: by,
            revokedAt: nil, createdAt: nil)))
    }
    for first in stride(from: 0, to: count, by: 500) {
      _ = try store.append(Array(incoming[first..<min(count, first + 500)]))
    }
    try Self.storeUndecodable(Self.undecodable, in: store)
    let attempts = (1...count).map { number in
      Attempt(
        event: Int64(number), number: 20, at: Timestamp(milliseconds: start.milliseconds + 60_000 * Int64(number)),
        outcome: .dead(error: Self.error))
    }
    try store.record(attempts, handler: id, advancingTo: Int64(count) + 1)
    try store.close()
  }

  /// As a release left it that did not understand the body.
  static func storeUndecodable(_ body: String, in store: RevocationStore) throws {
    let body = Array(body.utf8)
    _ = try store.append([
      IncomingEvent(
        key: EventKey(ofBody: body.span), messageID: nil, body: body,
        receivedAt: Timestamp(milliseconds: 1_790_000_000_000), occurredAt: nil,
        kind: .undecodable(problem: "the event has no session id"))
    ])
  }

  /// Makes the event a dead letter once more, of another handler and for a reason of its own.
  func giveUp(_ event: Int64, handler: String = "other", error: String) throws {
    let store = try RevocationStore(data: folder.data, mode: .serve)
    let id = try store.handlerPosition(registering: handler, at: Timestamp(milliseconds: 0)).id
    try store.record(
      [Attempt(event: event, number: 1, at: Timestamp(milliseconds: 1_790_000_000_000), outcome: .dead(error: error))],
      handler: id, advancingTo: event + 1)
    try store.close()
  }

  func run(_ arguments: String...) throws -> Executable.Result {
    try Executable.run(arguments + ["--data", folder.data], environment: [:])
  }

  func deadLetters() throws -> [String] {
    try RevocationStore(data: folder.data, mode: .inspect)
      .deadLetters(DeadLetterFilter(), after: nil, limit: 10_000).map(\.id.description)
  }
}
