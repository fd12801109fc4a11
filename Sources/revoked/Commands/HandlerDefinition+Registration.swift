internal import Handlers
internal import Logging

extension HandlerDefinition {
  /// The handler at work.
  func registration(_ logger: Logger, _ sink: LogSink) -> HandlerRegistration {
    HandlerRegistration(
      name, events: events.map { EventPattern($0) }, timeout: timeout, concurrency: concurrency,
      maxAttempts: maxAttempts,
      handler: handler(logger, sink))
  }

  private func handler(_ logger: Logger, _ sink: LogSink) -> any EventHandler {
    var logger = logger
    logger[metadataKey: "handler"] = "\(name)"
    switch kind {
    case .log:
      // A handler's lines are its work, whatever the log level.
      logger.logLevel = .trace
      let watch = LossWatch(sink)
      return LoggingHandler(logger: logger) { try await watch.flush() }
    case .exec(let program, let arguments): return ExecHandler(program, arguments, logger: logger)
    case .forward(let url, let secrets): return ForwardHandler(url, secrets: secrets)
    }
  }
}
