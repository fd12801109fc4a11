internal import HTTPServer
internal import Synchronization

/// Tells the feed, on its loop, that something was committed or that the receiver stops. Costs a commit one atomic
/// operation while no caller waits.
final class FeedSignal: Sendable {
  private let waiting = Atomic(0)
  private let closed = Atomic(false)
  private let loop = Mutex<EventLoop?>(nil)

  /// The feed lets no caller wait any more.
  var isClosed: Bool { closed.load(ordering: .acquiring) }

  func connect(to loop: EventLoop) {
    self.loop.withLock { $0 = loop }
  }

  /// To be called before the feed looks whether there is something to wait for: a commit that the feed does not see
  /// then sees this.
  func add(_ number: Int) {
    waiting.wrappingAdd(number, ordering: .acquiringAndReleasing)
  }

  /// Something was committed.
  func ring() {
    // A change, though of nothing: it stands either before the feed's own, which then sees the commit, or behind it.
    guard waiting.wrappingAdd(0, ordering: .acquiringAndReleasing).newValue > 0 else { return }
    loop.withLock { $0 }?.wakeResponder()
  }

  /// Ends all waits.
  func close() {
    closed.store(true, ordering: .releasing)
    loop.withLock { loop in
      defer { loop = nil }
      return loop
    }?.wakeResponder()
  }
}
