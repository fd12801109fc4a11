import Dispatch
import DynamicEvents
import Foundation
import Handlers
import Logging
import RevocationStore
import Storage

/// Three seconds of 1,600 events a second, in commits of sixteen.
enum Run {
  private static let commits = 300
  private static let batch = 16
  private static let pause = DispatchTimeInterval.milliseconds(10)

  static func latencies(beside neighbours: Neighbours) async throws -> [Duration] {
    let folder = FileManager.default.temporaryDirectory.appending(path: "isolation-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let store = try RevocationStore(data: folder.path, mode: .serve)
    let fast = FastHandler(count: commits * batch)
    let hung = HungHandler()
    var handlers = [HandlerRegistration("fast", handler: fast)]
    if neighbours != .none {
      handlers.append(HandlerRegistration("hung", timeout: .seconds(3600), concurrency: 8, handler: hung))
      handlers.append(HandlerRegistration("failing", handler: FailingHandler(every: neighbours == .failing ? 1 : 2)))
    }
    let dispatcher = try Dispatcher(
      store: store, handlers: handlers, logger: Logger(label: "isolation") { _ in SwiftLogNoOpLogHandler() })
    dispatcher.start()
    let committed = await commit(to: store, dispatcher)
    let done = await fast.all()
    hung.release()
    await dispatcher.stop()
    try store.close()
    // A lane that is reading just then may have an event before the time of its commit is taken.
    return zip(done, committed).map { max(.zero, $1.duration(to: $0)) }
  }

  /// Answers when each event's commit had ended.
  private static func commit(to store: RevocationStore, _ dispatcher: Dispatcher) async -> [ContinuousClock.Instant] {
    await withCheckedContinuation { continuation in
      let queue = DispatchQueue(label: "isolation.ingest")
      let timer = DispatchSource.makeTimerSource(queue: queue)
      nonisolated(unsafe) var committed: [ContinuousClock.Instant] = []
      timer.schedule(deadline: .now(), repeating: pause)
      timer.setEventHandler {
        // Used on the queue only.
        let first = unsafe committed.count
        let events = (first..<first + batch).compactMap { try? event($0) }
        guard (try? store.append(events))?.count == batch else { fatalError("the store failed") }
        unsafe committed += Array(repeating: .now, count: batch)
        dispatcher.wake()
        guard unsafe committed.count == commits * batch else { return }
        timer.cancel()
        unsafe continuation.resume(returning: committed)
      }
      timer.activate()
    }
  }

  private static func event(_ number: Int) throws -> IncomingEvent {
    let session = UUID().uuidString.lowercased()
    let body = Array(
      """
      {"messageId":"11111111-1111-4111-8111-111111111111","eventId":"\(number)","eventName":"user.session.revoked",\
      "timestamp":"2026-10-01T09:00:00.348Z","environmentId":"55555555-5555-4555-8555-555555555555",\
      "data":{"id":"\(session)","createdAt":"2026-09-30T08:14:03.117Z","ipAddress":"203.0.113.7",\
      "userAgent":"Mozilla/5.0 (X11; Linux x86_64)","revokedAt":"2026-10-01T09:00:00.301Z"}}
      """.utf8)
    guard let id = SessionID(session) else { throw CocoaError(.formatting) }
    return IncomingEvent(
      key: try EventOutline(body.span).key(in: body.span), messageID: nil, body: body, receivedAt: Timestamp(Date()),
      occurredAt: nil,
      kind: .sessionRevoked(
        SessionRevoked(
          name: "user.session.revoked", eventID: "\(number)", session: id, by: .user, revokedAt: nil, createdAt: nil)))
  }
}
