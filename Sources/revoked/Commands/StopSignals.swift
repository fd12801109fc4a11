internal import Dispatch
internal import Foundation

/// SIGTERM and SIGINT. The first is awaited; a second ends the process at once.
final class StopSignals: Sendable {
  private let names: AsyncStream<String>
  // Sources are thread-safe; they are kept only to stay alive.
  private nonisolated(unsafe) let sources: [any DispatchSourceSignal]

  init() {
    let (names, continuation) = AsyncStream.makeStream(of: String.self)
    self.names = names
    let queue = DispatchQueue(label: "revoked.signals")
    let stop = StopOnce(continuation)
    unsafe sources = [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT"), (SIGHUP, "SIGHUP")].map { number, name in
      // The default action would end the process before the source hears of it.
      _ = signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      if number != SIGHUP { source.setEventHandler { stop.received(name) } }
      source.activate()
      return source
    }
  }

  func first() async -> String {
    for await name in names { return name }
    return "none"
  }
}

/// Used on the signal queue only, hence `@unchecked Sendable`.
private final class StopOnce: @unchecked Sendable {
  private let continuation: AsyncStream<String>.Continuation
  private var isStopping = false

  init(_ continuation: AsyncStream<String>.Continuation) {
    self.continuation = continuation
  }

  func received(_ name: String) {
    // 128 + the signal, as a shell reports it, would hide that it was the second one; 1 says that the drain did not end.
    if isStopping { _exit(1) }
    isStopping = true
    continuation.yield(name)
  }
}
