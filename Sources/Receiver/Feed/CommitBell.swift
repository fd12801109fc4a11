internal import Synchronization

/// Tells the feed of commits. The inbox is made first, and rings before anybody listens.
final class CommitBell: Sendable {
  private let listener = Mutex<(@Sendable () -> Void)?>(nil)

  func listen(_ listener: @escaping @Sendable () -> Void) {
    self.listener.withLock { $0 = listener }
  }

  func ring() {
    listener.withLock { $0 }?()
  }
}
