package import Logging
internal import Synchronization

/// Keeps what is logged.
package final class LogCollector: Sendable {
  private let kept = Mutex<[(message: String, metadata: Logger.Metadata)]>([])

  private let logged: @Sendable (String) -> Void

  /// - Parameter logged: called with each message, on the thread that logs it.
  package init(_ logged: @escaping @Sendable (String) -> Void = { _ in }) {
    self.logged = logged
  }

  package var metadata: [Logger.Metadata] { kept.withLock { $0.map(\.metadata) } }
  package var messages: [String] { kept.withLock { $0.map(\.message) } }
  package var logger: Logger { Logger(label: "test") { _ in Handler(collector: self) } }

  private struct Handler: LogHandler {
    let collector: LogCollector
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
      collector.kept.withLock { $0.append((event.message.description, event.metadata ?? [:])) }
      collector.logged(event.message.description)
    }
  }
}
