import DynamicEvents
import Handlers
import Logging
import RevocationStore
import Storage
import TestSupport
import Testing

/// A real store in a folder of its own, and a clock that stands until the test moves it.
final class Bench: Sendable {
  let folder: TemporaryFolder
  let store: RevocationStore
  let clock = ManualClock()

  init() throws {
    folder = try TemporaryFolder()
    store = try RevocationStore(data: folder.data, mode: .serve)
  }

  var now: Timestamp { clock.now }
  var attemptFile: String { "\(folder.data)/attempts" }

  /// - Parameters:
  ///   - random: the jitter; 1 is the whole pause.
  ///   - attemptFile: where attempts under way are noted.
  func dispatcher(
    _ handlers: HandlerRegistration..., random: Double = 0.5, attemptFile: String? = nil,
    logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
  ) throws -> Dispatcher {
    let dispatcher = try Dispatcher(
      store: store, handlers: handlers, logger: logger, attemptFile: attemptFile, clock: clock.lanes,
      random: { random })
    dispatcher.start()
    return dispatcher
  }

  func store(_ ids: String..., name: String = "user.session.revoked") throws {
    try store(ids, name: name)
  }

  /// Stores the events 1, 2, 3, …
  func store(many count: Int) throws {
    try store((1...count).map(String.init), name: "user.session.revoked")
  }

  /// Stores events of one name in one transaction.
  /// - Parameter body: of them all, where it is to be another than theirs.
  func store(_ ids: [String], name: String = "user.session.revoked", body: String? = nil) throws {
    let session = try #require(SessionID("3f0c6f6e-1c3a-4f0b-9a52-6d1f8e2b7c10"))
    _ = try store.append(
      ids.map { id in
        let kind: IncomingEvent.Kind =
          name.hasSuffix(".revoked")
          ? .sessionRevoked(
            SessionRevoked(name: name, eventID: id, session: session, by: .user, revokedAt: nil, createdAt: nil))
          : .other(name: name)
        return IncomingEvent(
          key: try #require(try EventKey(eventId: Array(id.utf8).span)), messageID: nil,
          body: Array((body ?? #"{"eventId":"\#(id)","eventName":"\#(name)","data":{"id":"\#(session)"}}"#).utf8),
          receivedAt: now, occurredAt: nil, kind: kind)
      })
  }

  /// Whether the only handler failed at the event once, and is to try it again.
  func isRetrying(_ event: Int64, after attempts: Int = 1) throws -> Bool {
    guard case .retrying(attempts, _, _) = try store.event(event)?.handlers.first?.state else { return false }
    return true
  }

  /// Lets hour after hour pass until it is so.
  func passTime(until condition: () throws -> Bool) async throws {
    while try !condition() {
      try Task.checkCancellation()
      clock.advance(by: .seconds(3600))
      await Task.yield()
    }
  }

  /// Whether the handler has nothing to do, and so many dead letters.
  func isIdle(_ handler: String, dead: Int = 0) throws -> Bool {
    try store.backlogs()[handler].map { $0.pending == 0 && $0.dead == dead } == true
  }

  /// Returns when that is so.
  func idles(_ handler: String, dead: Int = 0) async throws {
    try await settle { try isIdle(handler, dead: dead) }
  }

  /// Returns when it is so, with no more time passing than what lanes wait between two transactions.
  func settle(until condition: () throws -> Bool) async throws {
    while try !condition() {
      try Task.checkCancellation()
      clock.endShortSleeps()
      await Task.yield()
    }
  }
}
