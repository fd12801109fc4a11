internal import Synchronization

/// Tells the feed of commits. The inbox is made first, and rings before anybody listens.
final class CommitBell: Sendable {
  // Not the bare closure: a generic function that borrows one wraps it to call it, and puts it back wrapped. A million commits later the call
  // would go through two million wrappings.
  private struct Listener {
    var call: (@Sendable () -> Void)?
  }

  private let listener = Mutex(Listener())

  func listen(_ listener: @escaping @Sendable () -> Void) {
    self.listener.withLock { $0.call = listener }
  }

  func ring() {
    listener.withLock { $0.call }?()
  }
}
