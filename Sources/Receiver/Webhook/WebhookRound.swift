internal import DynamicEvents
internal import HTTPMessage
internal import HTTPServer
internal import Logging
internal import Storage

/// What one loop collected in one round: stored together, answered together, and counted and logged by the loop, since
/// the writer's queue is the one place that every delivery has to pass.
struct WebhookRound {
  typealias Replies = [(exchange: Exchange, response: Response)]

  private var events: [IncomingEvent] = []
  private var places: [(exchange: Exchange, label: EventLabel)] = []
  /// Signed pings that wait for proof that the store commits, by event id.
  private var pings: [(exchange: Exchange, id: String)] = []

  var isEmpty: Bool { events.isEmpty && pings.isEmpty }

  mutating func add(_ event: IncomingEvent, _ label: EventLabel, _ exchange: Exchange) {
    events.append(event)
    places.append((exchange, label))
  }

  mutating func add(ping id: String, _ exchange: Exchange) {
    pings.append((exchange, id))
  }

  /// One hop to the writer, and one back to the loop with all the answers.
  func submit(to context: ResponderContext, _ loop: EventLoop) {
    if !pings.isEmpty {
      context.probe.ask(context.inbox) { result in loop.answer(making: { answerPings(result, context) }) }
    }
    if events.isEmpty { return }
    let taken = context.inbox.submit(events) { [self] result in
      switch result {
      case .success: context.commits.worked()
      case .failure: context.probe.failed()
      }
      loop.answer(making: { acknowledge(result, context) })
    }
    if taken { return }
    context.overflows.failed("the inbox is full; deliveries are answered 503", count: events.count)
    loop.answer(refuse(context))
  }

  static func pong(_ id: String, _ context: ResponderContext) -> Response {
    context.metrics.count(.ping, .pong)
    context.logger.info("ping", metadata: ["eventId": "\(id)", "source": "webhook"])
    return Answers.pong
  }

  private func answerPings(_ result: Result<Void, StoreError>?, _ context: ResponderContext) -> Replies {
    if case .success? = result {
      context.commits.worked()
      return pings.map { ($0.exchange, Self.pong($0.id, context)) }
    }
    let cause = if case .failure(let error)? = result { "\(error)" } else { "the store does not answer" }
    context.commits.failed(
      "the store cannot commit; deliveries are answered 503", count: pings.count, ["error": "\(cause)"])
    return pings.map { ping in
      context.metrics.count(.ping, .unavailable)
      return (ping.exchange, Answers.unavailable)
    }
  }

  private func acknowledge(_ result: Result<[AppendOutcome], StoreError>, _ context: ResponderContext) -> Replies {
    let outcomes: [AppendOutcome]
    switch result {
    case .success(let all): outcomes = all
    case .failure(let error):
      context.commits.failed(
        "the store cannot commit; deliveries are answered 503", count: events.count, ["error": "\(error)"])
      return refuse(context)
    }
    let now = context.now()
    return zip(zip(events, places), outcomes).map { pair, outcome in
      let (event, place) = pair
      context.logger.log(event, outcome)
      switch outcome {
      case .accepted:
        context.metrics.count(place.label, .accepted)
        if let occurredAt = event.occurredAt { context.metrics.observeLatency(from: occurredAt, to: now) }
        return (place.exchange, Answers.accepted)
      case .duplicate:
        context.metrics.count(place.label, .duplicate)
        return (place.exchange, Answers.duplicate)
      case .undecodable:
        context.metrics.count(place.label, .undecodable)
        return (place.exchange, Answers.undecodable)
      }
    }
  }

  private func refuse(_ context: ResponderContext) -> Replies {
    places.map { place in
      context.metrics.count(place.label, .unavailable)
      return (place.exchange, Answers.unavailable)
    }
  }
}

/// What a payload says goes into a log line at the length of an id, however long it is. In bytes: one Character may be
/// as long as the body.
func clipped(_ text: String?) -> String { String(decoding: (text ?? "").utf8.prefix(64), as: UTF8.self) }

extension Logger {
  /// One line for an event that was stored, whichever way it came.
  func log(_ event: IncomingEvent, _ outcome: AppendOutcome) {
    switch event.kind {
    case .sessionRevoked(let revoked):
      for session in [revoked.session] + revoked.otherSessions {
        info(
          outcome == .accepted ? "session revoked" : "duplicate",
          metadata: [
            "sessionId": "\(session)", "by": "\(revoked.by.rawValue)", "eventId": "\(clipped(revoked.eventID))",
            "messageId": "\(clipped(event.messageID))", "source": .string(event.source.rawValue),
          ])
      }
    // Not ordered by a webhook.
    case .cutOff: break
    case .other(let name):
      info(
        outcome == .accepted ? "event stored" : "duplicate",
        metadata: [
          "event": "\(clipped(name))", "messageId": "\(clipped(event.messageID))",
          "source": .string(event.source.rawValue),
        ])
    case .undecodable(let problem):
      error(
        "a signed delivery cannot be decoded; kept as a dead letter",
        metadata: [
          "reason": "\(problem)", "bytes": .stringConvertible(event.body.count),
          "source": .string(event.source.rawValue),
        ])
    }
  }
}
