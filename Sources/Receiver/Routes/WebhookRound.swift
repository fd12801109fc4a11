internal import DynamicEvents
internal import HTTPMessage
internal import HTTPServer
internal import Logging
internal import RevocationStore

/// What one loop collected in one round: stored together, answered together.
struct WebhookRound {
  private var events: [IncomingEvent] = []
  private var places: [(exchange: Exchange, label: EventLabel)] = []

  var isEmpty: Bool { events.isEmpty }

  mutating func add(_ event: IncomingEvent, _ label: EventLabel, _ exchange: Exchange) {
    events.append(event)
    places.append((exchange, label))
  }

  /// One hop to the writer, and one back to the loop with all the answers.
  func submit(to service: Service, _ loop: EventLoop) {
    let taken = service.inbox.submit(events) { [self] result in
      switch result {
      case .success(let outcomes):
        service.commits.worked()
        loop.answer(acknowledge(outcomes, service))
      case .failure(let error):
        service.commits.failed(
          "the store cannot commit; deliveries are answered 503", count: events.count, ["error": "\(error)"])
        loop.answer(refuse(service))
      }
    }
    if taken { return }
    service.overflows.failed("the inbox is full; deliveries are answered 503", count: events.count)
    loop.answer(refuse(service))
  }

  private func acknowledge(
    _ outcomes: [AppendOutcome], _ service: Service
  ) -> [(exchange: Exchange, response: Response)] {
    let now = service.now()
    return zip(zip(events, places), outcomes).map { pair, outcome in
      let (event, place) = pair
      log(event, outcome, service.logger)
      switch outcome {
      case .accepted:
        service.metrics.count(place.label, .accepted)
        if let occurredAt = event.occurredAt { service.metrics.observeLatency(from: occurredAt, to: now) }
        return (place.exchange, Answers.accepted)
      case .duplicate:
        service.metrics.count(place.label, .duplicate)
        return (place.exchange, Answers.duplicate)
      case .undecodable:
        service.metrics.count(place.label, .undecodable)
        return (place.exchange, Answers.undecodable)
      }
    }
  }

  private func refuse(_ service: Service) -> [(exchange: Exchange, response: Response)] {
    places.map { place in
      service.metrics.count(place.label, .unavailable)
      return (place.exchange, Answers.unavailable)
    }
  }

  private func log(_ event: IncomingEvent, _ outcome: AppendOutcome, _ logger: Logger) {
    switch event.kind {
    case .sessionRevoked(let revoked):
      logger.info(
        outcome == .accepted ? "session revoked" : "duplicate",
        metadata: [
          "sessionId": "\(revoked.session)", "by": "\(revoked.by.rawValue)", "eventId": "\(clipped(revoked.eventID))",
          "messageId": "\(clipped(event.messageID))",
        ])
    // Not ordered by a webhook.
    case .cutOff: break
    case .other(let name):
      logger.info(
        outcome == .accepted ? "event stored" : "duplicate",
        metadata: ["event": "\(clipped(name))", "messageId": "\(clipped(event.messageID))"])
    case .undecodable(let problem):
      logger.error(
        "a signed delivery cannot be decoded; kept as a dead letter",
        metadata: ["reason": "\(problem)", "bytes": .stringConvertible(event.body.count)])
    }
  }
}

/// What a payload says goes into a log line at the length of an id, however long it is. In bytes: one Character may be as long as the body.
func clipped(_ text: String?) -> String { String(decoding: (text ?? "").utf8.prefix(64), as: UTF8.self) }
