internal import Foundation
internal import Handlers
internal import Logging

/// A handler as the configuration names it, complete and checked. Building one is somebody else's work.
struct HandlerDefinition: Sendable {
  enum Kind: Sendable {
    /// One structured line for each event.
    case log
    /// A command without a shell, the event's JSON on its standard input.
    case exec(program: String, arguments: [String])
    /// A signed `POST`. Plain `http` only to an address of this host or of a private network, or asked for by name (`insecure`).
    case forward(url: URL, secrets: [WebhookSecret])
  }

  /// `[a-z0-9][a-z0-9-]{0,62}`; it names the handler's queue, its metrics and its dead letters, so it should not change.
  let name: String
  let kind: Kind
  /// Event names; a pattern ends in `*`.
  let events: [String]
  /// Of one attempt.
  let timeout: Duration
  /// Attempts at the same time.
  var concurrency: Int
  /// Before the event becomes a dead letter.
  let maxAttempts: Int

  /// nil: an event that could not be decoded, which nobody gets.
  func wants(_ eventName: String?) -> Bool {
    guard let eventName else { return false }
    return events.contains { EventPattern($0).matches(eventName) }
  }
}

extension HandlerDefinition {
  /// The handler at work.
  func registration(_ settings: Settings, _ logger: Logger, _ sink: LogSink) -> HandlerRegistration {
    HandlerRegistration(
      name, events: events.map { EventPattern($0) }, timeout: timeout, concurrency: concurrency,
      maxAttempts: maxAttempts,
      handler: handler(settings, logger, sink))
  }

  private func handler(_ settings: Settings, _ logger: Logger, _ sink: LogSink) -> any EventHandler {
    var logger = logger
    logger[metadataKey: "handler"] = "\(name)"
    switch kind {
    case .log:
      // A handler's lines are its work, whatever the log level.
      logger.logLevel = .trace
      let watch = LossWatch(sink)
      return LoggingHandler(logger: logger) { try await watch.flush() }
    case .exec(let program, let arguments):
      return ExecHandler(
        program, arguments, descriptors: UInt64(DescriptorShares.inherited), logger: logger)
    case .forward(let url, let secrets):
      return ForwardHandler(url, secrets: secrets, authorities: settings.authorities)
    }
  }
}
