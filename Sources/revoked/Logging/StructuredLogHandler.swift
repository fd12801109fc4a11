internal import Logging
internal import Synchronization

/// swift-log's back end: each event becomes one line in the sink.
struct StructuredLogHandler: LogHandler {
  private let sink: LogSink
  private var ownLevel: Logger.Level?
  var metadata: Logger.Metadata = [:]
  var metadataProvider: Logger.MetadataProvider?

  init(_ sink: LogSink, metadataProvider: Logger.MetadataProvider? = nil) {
    self.sink = sink
    self.metadataProvider = metadataProvider
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  /// The sink's, which can change for all loggers at run time, unless this logger was given one of its own.
  var logLevel: Logger.Level {
    get { ownLevel ?? sink.level }
    set { ownLevel = newValue }
  }

  /// What is nearer to the event wins: its own metadata over the provider's over the logger's.
  func log(event: LogEvent) {
    var all = metadata
    if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
    // Merging into nothing would hash every key again.
    if let own = event.metadata { all = all.isEmpty ? own : all.merging(own) { $1 } }
    if let error = event.error, all["error"] == nil { all["error"] = "\(error)" }
    sink.append(
      LogLine.rendered(event.level, event.message.description, all, sink.format), urgent: event.level >= .error)
  }
}

/// Makes sure that a line got out, for a caller that counts it as delivered.
final class LossWatch: Sendable {
  struct LinesLost: Error, CustomStringConvertible {
    let description = "log lines were lost: they are not read fast enough"
  }

  private let sink: LogSink
  private let known: Atomic<Int>

  init(_ sink: LogSink) {
    self.sink = sink
    known = Atomic(sink.lostLines)
  }

  /// Throws when any line was lost since the last call: it may have been the caller's. One caller at a time.
  func flush() async throws {
    await sink.flushed()
    let lost = sink.lostLines
    if known.exchange(lost, ordering: .relaxed) != lost { throw LinesLost() }
  }
}
