internal import Dispatch
internal import Foundation

/// The signals that `serve` obeys: SIGHUP reloads, the first SIGTERM or SIGINT stops, a second ends the process at
/// once.
final class ServeSignals: Sendable {
  enum Request: Sendable {
    case reload
    case stop(signal: String)
  }

  /// Reloads that come faster than they are done count once.
  let requests: AsyncStream<Request>
  // Kept only so that the sources stay alive; never used again.
  private nonisolated(unsafe) let sources: [any DispatchSourceSignal]

  /// - Parameter last: called with the second signal's name before the process ends.
  init(last: @escaping @Sendable (String) -> Void) {
    let (requests, continuation) = AsyncStream.makeStream(of: Request.self, bufferingPolicy: .bufferingNewest(2))
    self.requests = requests
    let handler = Handler(continuation, last)
    let queue = DispatchQueue(label: "revoked.signals")
    unsafe sources = [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT"), (SIGHUP, "SIGHUP")].map { number, name in
      // The default action would end the process before the source hears of it.
      _ = signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler { handler.received(number, name) }
      source.activate()
      return source
    }
  }

  /// `@unchecked Sendable`: called on the signal queue only.
  private final class Handler: @unchecked Sendable {
    private let continuation: AsyncStream<Request>.Continuation
    private let last: @Sendable (String) -> Void
    private var isStopping = false

    init(_ continuation: AsyncStream<Request>.Continuation, _ last: @escaping @Sendable (String) -> Void) {
      self.continuation = continuation
      self.last = last
    }

    func received(_ number: Int32, _ name: String) {
      if number == SIGHUP {
        // Once a stop is asked for, nothing may push it out of the buffer.
        if !isStopping { continuation.yield(.reload) }
        return
      }
      // The drain did not end: that is a failure, and the exit status says so.
      if isStopping {
        last(name)
        _exit(1)
      }
      isStopping = true
      continuation.yield(.stop(signal: name))
    }
  }
}
