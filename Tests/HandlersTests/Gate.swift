/// Closed until the test opens it, for good. Waiting ends with the waiting task's cancellation as well.
final class Gate: Sendable {
  private let stream: AsyncStream<Void>
  private let continuation: AsyncStream<Void>.Continuation

  init() {
    (stream, continuation) = AsyncStream.makeStream()
  }

  func open() { continuation.finish() }

  /// For one waiter.
  func wait() async { for await _ in stream {} }
}
