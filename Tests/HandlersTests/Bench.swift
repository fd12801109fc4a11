import DynamicEvents
import Handlers
import Logging
import RevocationStore
import Synchronization
import TestSupport
import Testing

/// A real store in a folder of its own, and a clock that stands until the test moves it.
final class Bench: Sendable {
  let folder: TemporaryFolder
  let store: RevocationStore
  private let milliseconds = Mutex<Int64>(1_790_000_000_000)

  init() throws {
    folder = try TemporaryFolder()
    store = try RevocationStore(data: folder.data, mode: .serve)
  }

  var now: Timestamp { Timestamp(milliseconds: milliseconds.withLock { $0 }) }

  func dispatcher(_ handlers: HandlerRegistration...) throws -> Dispatcher {
    try Dispatcher(
      store: store, handlers: handlers, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
      now: { self.now })
  }

  /// Stores events of one name in one transaction.
  func store(_ ids: String..., name: String = "user.session.revoked") throws {
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
          body: Array(#"{"eventId":"\#(id)","eventName":"\#(name)","data":{"id":"\#(session)"}}"#.utf8),
          receivedAt: now, occurredAt: nil, kind: kind)
      })
  }

  /// Lets hour after hour pass until it is so. How long a pause is, is left to chance: it may be over at once.
  func passTime(_ dispatcher: Dispatcher, until condition: () throws -> Bool) async throws {
    while try !condition() {
      try Task.checkCancellation()
      milliseconds.withLock { $0 += 3_600_000 }
      dispatcher.wake()
      await Task.yield()
    }
  }

  /// Whether the handler has nothing to do, and so many dead letters.
  func isIdle(_ handler: String, dead: Int = 0) throws -> Bool {
    try store.backlogs()[handler].map { $0.pending == 0 && $0.dead == dead } == true
  }

  /// Returns when that is so.
  func idles(_ handler: String, dead: Int = 0) async throws {
    while try !isIdle(handler, dead: dead) {
      try Task.checkCancellation()
      await Task.yield()
    }
  }
}
