internal import DynamicEvents
internal import HTTPMessage
internal import HTTPServer
internal import Logging
internal import RevocationStore
internal import Signature

/// The public listener's routes on one loop: the webhook, and a health check for whoever stands in front.
final class WebhookResponder: Responder {
  private let loop: EventLoop
  private let service: Service
  /// nil: OpenSSL failed, and nothing verifies.
  private var verifier: SignatureVerifier?
  /// Which of the service's sets of secrets the verifier is keyed with.
  private var secretsVersion: Int
  private let path: [UInt8]
  private var round = WebhookRound()
  /// Of this round: counted here, so that no forged request waits for a lock.
  private var forgeries = 0

  init(loop: EventLoop, service: Service, path: String) {
    self.loop = loop
    self.service = service
    self.path = Array(path.utf8)
    (verifier, secretsVersion) = service.makeVerifier()
  }

  func earlyResponse(to head: borrowing RequestHead, _ bytes: Span<UInt8>) -> Response? {
    guard let refusal = route(head, bytes) else {
      // Without one well-formed signature no body will help, and none is worth keeping meanwhile.
      guard let range = signature(head, bytes), SignatureHeader.parse(bytes.extracting(range)) != nil else {
        return forged()
      }
      return nil
    }
    return refusal
  }

  func respond(to head: borrowing RequestHead, _ bytes: Span<UInt8>, body: Span<UInt8>, exchange: Exchange) -> Response?
  {
    if let answer = route(head, bytes) { return answer }
    if secretsVersion != service.secretsVersion { (verifier, secretsVersion) = service.makeVerifier() }
    guard let range = signature(head, bytes), let verifier else { return forged() }
    switch SignedDelivery(signature: bytes.extracting(range), body: body, verifier: verifier) {
    case .forged:
      return forged()
    case .undecodable(let reason):
      return undecodable(reason, body, exchange)
    case .genuine(let outline):
      return genuine(outline, body, exchange)
    }
  }

  func roundEnded() {
    if forgeries > 0 { service.forgeries(forgeries) }
    forgeries = 0
    guard !round.isEmpty else { return }
    round.submit(to: service, loop)
    round = WebhookRound()
  }

  /// nil: it is a POST to the webhook.
  private func route(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) -> Response? {
    let target = bytes.extracting(head.path.range)
    if target.elementsEqual(path) { return head.method == .post ? nil : Answers.postOnly }
    guard target.equals("/healthz") else { return Answers.notFound }
    return head.method == .get || head.method == .head ? Answers.healthy : Answers.getOnly
  }

  private func signature(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) -> Range<Int>? {
    guard case .once(let range) = head.value(of: SignatureHeader.name, in: bytes) else { return nil }
    return range
  }

  private func forged() -> Response {
    service.metrics.signatureFailed()
    forgeries += 1
    return Answers.forged
  }

  private func genuine(_ outline: EventOutline, _ body: Span<UInt8>, _ exchange: Exchange) -> Response? {
    let now = service.now()
    service.heard(at: now)
    let label: EventLabel
    let kind: IncomingEvent.Kind
    switch outline.kind {
    case .ping:
      service.metrics.count(.ping, .pong)
      service.logger.info("ping", metadata: ["eventId": "\(clipped(outline.eventId?.text(in: body)))"])
      return Answers.pong
    case .sessionRevoked(let session, let by):
      label = by == .user ? .sessionRevoked : .adminSessionRevoked
      kind = .sessionRevoked(
        SessionRevoked(
          name: label.rawValue, eventID: outline.eventId?.text(in: body).asEventID, session: session, by: by,
          revokedAt: outline.revokedAt, createdAt: outline.createdAt))
    case .other:
      let name = outline.eventName.text(in: body)
      guard service.isWanted(name) else {
        service.metrics.count(.other, .ignored)
        service.logger.debug("ignored", metadata: ["event": "\(clipped(name))"])
        return Answers.ignored
      }
      label = .other
      kind = .other(name: name)
    }
    guard let key = try? outline.key(in: body) else { return unavailable(label) }
    round.add(
      IncomingEvent(
        key: key, messageID: outline.messageId?.text(in: body), body: body.bytesCopied, receivedAt: now,
        occurredAt: outline.timestamp, kind: kind),
      label, exchange)
    return nil
  }

  private func undecodable(_ reason: UndecodableReason, _ body: Span<UInt8>, _ exchange: Exchange) -> Response? {
    let now = service.now()
    service.heard(at: now)
    guard let key = try? EventKey(ofBody: body) else { return unavailable(.unknown) }
    round.add(
      IncomingEvent(
        key: key, messageID: nil, body: body.bytesCopied, receivedAt: now, occurredAt: nil,
        kind: .undecodable(problem: reason.description)),
      .unknown, exchange)
    return nil
  }

  /// OpenSSL failed to hash. The event is not stored, so it is not acknowledged.
  private func unavailable(_ label: EventLabel) -> Response {
    service.metrics.count(label, .unavailable)
    service.logger.error("SHA-256 failed; the delivery was refused")
    return Answers.unavailable
  }
}

extension Span<UInt8> {
  fileprivate func elementsEqual(_ other: [UInt8]) -> Bool {
    guard count == other.count else { return false }
    for index in indices where self[index] != other[index] { return false }
    return true
  }

  fileprivate var bytesCopied: [UInt8] {
    var copy: [UInt8] = []
    copy.reserveCapacity(count)
    copy.append(contentsOf: self)
    return copy
  }
}

extension String {
  /// nil for what is no id: look-ups repeat it.
  fileprivate var asEventID: String? { isEmpty || utf8.count > EventKey.maximumIDBytes ? nil : self }
}
