internal import Dispatch
internal import DynamicEvents
internal import Storage
internal import Synchronization

/// Reads the store for the program that the receiver is a part of. On a queue of its own, since a read may wait for the
/// disk and a task's thread must not.
final class EmbeddedReader: Sendable {
  private struct Listeners {
    var isClosed = false
    var next = 0
    var signals: [Int: AsyncStream<Void>.Continuation] = [:]
  }

  /// Entries of one read: some 100 µs.
  private static let rows = 200

  private let store: any Store
  private let health: DynamicHealth?
  private let now: @Sendable () -> Timestamp
  private let queue = DispatchQueue(label: "revoked.embedded")
  // Used on the queue alone; nil once the receiver has stopped.
  private nonisolated(unsafe) var lookUps: (any InlineLookUps)?
  private let listeners = Mutex(Listeners())
  /// So that a commit costs a load while no iteration runs.
  private let isHeard = Atomic(false)

  init(_ store: any Store, _ health: DynamicHealth?, now: @escaping @Sendable () -> Timestamp) {
    self.store = store
    self.health = health
    self.now = now
    unsafe lookUps = store.makeLookUps().awaited
  }

  func revoked(among sessions: [SessionID]) async throws(ReceiverError) -> Set<SessionID> {
    try await read { (reader) throws(ReceiverError) in
      do throws(StoreError) {
        defer { reader.roundEnded() }
        return Set(try reader.revoked(of: sessions))
      } catch {
        throw .store(error.description)
      }
    }
  }

  /// - Parameter cursor: whose history must be the store's; `nil`: it is known to be.
  func page(after position: Int64, of cursor: FeedCursor?) async throws(ReceiverError) -> FeedPage {
    try await read { [store, now] (_) throws(ReceiverError) in
      if let cursor, !store.knows(cursor) { throw .unknownCursor }
      do throws(StoreError) {
        return try store.feed(after: position, limit: Self.rows, at: now())
      } catch {
        throw .store(error.description)
      }
    }
  }

  private func read<Value: Sendable>(
    _ work: @escaping @Sendable (any InlineLookUps) throws(ReceiverError) -> Value
  ) async throws(ReceiverError) -> Value {
    // A new store that has not caught up with Dynamic does not know who is not revoked.
    if let complaint = health?.complaint { throw .store(complaint) }
    let result: Result<Value, ReceiverError> = await withCheckedContinuation { continuation in
      queue.async { [self] in
        continuation.resume(
          returning: Result { () throws(ReceiverError) in
            guard let reader = unsafe lookUps else { throw .store("the receiver has stopped") }
            return try work(reader)
          })
      }
    }
    return try result.get()
  }

  // MARK: Commits

  /// An element after each commit, or one for several; the end when the receiver stops.
  func commits() -> AsyncStream<Void> {
    let (stream, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let number = listeners.withLock { listeners -> Int? in
      guard !listeners.isClosed else { return nil }
      listeners.next += 1
      listeners.signals[listeners.next] = signal
      isHeard.store(true, ordering: .sequentiallyConsistent)
      return listeners.next
    }
    guard let number else {
      signal.finish()
      return stream
    }
    signal.onTermination = { [weak self] _ in self?.listeners.withLock { $0.signals[number] = nil } }
    return stream
  }

  func ring() {
    guard isHeard.load(ordering: .sequentiallyConsistent) else { return }
    let signals = listeners.withLock { listeners in
      if listeners.signals.isEmpty { isHeard.store(false, ordering: .sequentiallyConsistent) }
      return Array(listeners.signals.values)
    }
    for signal in signals { signal.yield() }
  }

  /// Ends every iteration.
  func close() {
    let signals = listeners.withLock { listeners in
      listeners.isClosed = true
      defer { listeners.signals = [:] }
      return Array(listeners.signals.values)
    }
    for signal in signals { signal.finish() }
    queue.async { [self] in unsafe lookUps = nil }
  }
}
