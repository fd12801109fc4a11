internal import Logging

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

extension LogSink {
  struct LinesLost: Error, CustomStringConvertible {
    let description = "log lines were lost: they are not read fast enough"
  }

  /// Returns when what `write` logs is written. Throws when any line was lost meanwhile: it may have been this one.
  func deliver(_ write: () -> Void) async throws {
    let before = lostLines
    write()
    await flushed()
    if lostLines != before { throw LinesLost() }
  }
}
