internal import Bytes
internal import DynamicEvents
internal import HTTPMessage
internal import HTTPServer
internal import Logging
internal import Signature
internal import Storage

/// The public listener's routes on one loop: the webhook, and a health check for what stands in front.
final class WebhookResponder: Responder {
  /// A ping's body has some 550 bytes. A larger one is not looked at unless it is signed.
  private static let largestUnverifiedPing = 16_384

  private let loop: EventLoop
  private let context: ResponderContext
  /// `nil`: OpenSSL failed, and nothing verifies.
  private var verifier: SignatureVerifier?
  /// The version of the secrets that the verifier is keyed with.
  private var secretsVersion: Int
  private let path: [UInt8]
  private var round = WebhookRound()
  // Of this round: counted here, so that no unsigned request waits for a lock.
  private var forgeries = 0
  private var unverifiedPings = 0
  /// Whether pings of this round may be answered at once; `nil` before the first.
  private var isProven: Bool?

  init(loop: EventLoop, context: ResponderContext, path: String) {
    self.loop = loop
    self.context = context
    self.path = Array(path.utf8)
    (verifier, secretsVersion) = context.makeVerifier()
  }

  func earlyReply(to head: borrowing RequestHead, _ bytes: Span<UInt8>, exchange: Exchange) -> Reply? {
    earlyRefusal(of: head, bytes).map { .now($0) }
  }

  private func earlyRefusal(of head: borrowing RequestHead, _ bytes: Span<UInt8>) -> Response? {
    if let refusal = route(head, bytes) { return refusal }
    // 413, whoever sent it.
    if case .length(let length) = head.framing, length > loop.limits.message.bodyBytes { return nil }
    switch head.value(of: SignatureHeader.name, in: bytes) {
    case .once(let range) where SignatureHeader.parse(bytes.extracting(range)) != nil: return nil
    // No body will help, and none is worth keeping meanwhile.
    case .repeated: return forged()
    // Unless it is a ping.
    case .once, .absent:
      if case .length(let length) = head.framing, length > Self.largestUnverifiedPing { return forged() }
      return nil
    }
  }

  func respond(to head: borrowing RequestHead, _ bytes: Span<UInt8>, body: Span<UInt8>, exchange: Exchange) -> Reply {
    response(to: head, bytes, body, exchange).map { .now($0) } ?? .later()
  }

  private func response(
    to head: borrowing RequestHead, _ bytes: Span<UInt8>, _ body: Span<UInt8>, _ exchange: Exchange
  ) -> Response? {
    if let answer = route(head, bytes) { return answer }
    if secretsVersion != context.secretsVersion { (verifier, secretsVersion) = context.makeVerifier() }
    switch head.value(of: SignatureHeader.name, in: bytes) {
    case .repeated: return forged()
    case .absent: return unverified(body)
    case .once(let range):
      guard let verifier else { return unverified(body) }
      switch SignedDelivery(signature: bytes.extracting(range), body: body, verifier: verifier) {
      case .forged: return unverified(body)
      case .undecodable(let reason): return undecodable(reason, body, exchange)
      case .genuine(let outline): return genuine(outline, body, exchange)
      }
    }
  }

  func refused(_ error: RequestError, _ bytes: Span<UInt8>) {
    context.refusals.add(error.status, bytes, detail: error.detail)
  }

  func roundEnded() {
    isProven = nil
    if forgeries > 0 { context.forgeries(forgeries) }
    if unverifiedPings > 0 { context.unverifiedPings(unverifiedPings) }
    (forgeries, unverifiedPings) = (0, 0)
    guard !round.isEmpty else { return }
    round.submit(to: context, loop)
    round = WebhookRound()
  }

  /// `nil`: it is a POST to the webhook.
  private func route(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) -> Response? {
    let target = bytes.extracting(head.path.range)
    if target.isEqual(to: path) {
      if head.method == .post { return nil }
      context.refusals.add(.methodNotAllowed, bytes)
      return Answers.postOnly
    }
    guard target.equals("/healthz") else {
      context.refusals.add(.notFound, bytes, target: target)
      return Answers.notFound
    }
    return head.method.isHealthCheck ? Answers.healthy : Answers.healthOnly
  }

  /// Dynamic sends a ping when a webhook is registered, before anybody can know its secret, and may expect a 200. It
  /// changes nothing here. Everything else that is not signed is refused.
  private func unverified(_ body: Span<UInt8>) -> Response {
    guard body.count <= Self.largestUnverifiedPing, body.mayBePing,
      let outline = try? EventOutline(body), outline.kind == .ping
    else { return forged() }
    context.metrics.count(.ping, .unverified)
    unverifiedPings += 1
    return Answers.unverified
  }

  private func forged() -> Response {
    context.metrics.signatureFailed()
    forgeries += 1
    return Answers.forged
  }

  private func genuine(_ outline: EventOutline, _ body: Span<UInt8>, _ exchange: Exchange) -> Response? {
    let now = context.now()
    if !outline.isTest { context.heard(at: now) }
    let label: EventLabel
    switch outline.kind {
    case .ping: return ping(outline, body, exchange)
    case .sessionRevoked(_, let by):
      // Dynamic sends none by an operator.
      label = by == .user ? .sessionRevoked : by == .admin ? .adminSessionRevoked : .other
    case .other:
      let name = outline.eventName.text(in: body)
      guard context.isWanted(name) else {
        context.metrics.count(.other, .ignored)
        context.logger.debug("ignored", metadata: ["event": "\(clipped(name))"])
        return Answers.ignored
      }
      label = .other
    }
    guard let event = try? IncomingEvent(outline, body.bytesCopied, source: .webhook, receivedAt: now) else {
      return unavailable(label)
    }
    round.add(event, label, exchange)
    return nil
  }

  /// A 200 says that an event would be stored.
  private func ping(_ outline: EventOutline, _ body: Span<UInt8>, _ exchange: Exchange) -> Response? {
    let id = clipped(outline.eventId?.text(in: body))
    // Three calls of the system, once a round.
    let isProven = isProven ?? context.probe.isProven
    self.isProven = isProven
    guard isProven else {
      round.add(ping: id, exchange)
      return nil
    }
    return WebhookRound.pong(id, context)
  }

  private func undecodable(_ reason: UndecodableReason, _ body: Span<UInt8>, _ exchange: Exchange) -> Response? {
    let now = context.now()
    context.heard(at: now)
    guard let event = try? IncomingEvent(undecodable: body.bytesCopied, reason, source: .webhook, receivedAt: now)
    else {
      return unavailable(.unknown)
    }
    round.add(event, .unknown, exchange)
    return nil
  }

  /// OpenSSL failed to hash. The event is not stored, so it is not acknowledged.
  private func unavailable(_ label: EventLabel) -> Response {
    context.metrics.count(label, .unavailable)
    context.logger.error("SHA-256 failed; the delivery was refused")
    return Answers.unavailable
  }
}

extension Span<UInt8> {
  /// Whether the bytes may be an event named `ping`: a look that costs less than the signature did, before anything is
  /// decoded. The name stands there as it is, or with an escape.
  fileprivate var mayBePing: Bool {
    // The letter that is rarest in an event.
    var letter = firstIndex(of: UInt8(ascii: "g"), from: 4)
    while letter + 1 < count {
      if self[letter - 1] == UInt8(ascii: "n"), extracting(letter - 4..<letter + 2).equals("\"ping\"") { return true }
      letter = firstIndex(of: UInt8(ascii: "g"), from: letter + 1)
    }
    var escape = firstIndex(of: UInt8(ascii: "\\"), from: 0)
    while escape + 1 < count {
      if self[escape + 1] == UInt8(ascii: "u") { return true }
      escape = firstIndex(of: UInt8(ascii: "\\"), from: escape + 1)
    }
    return false
  }

  var bytesCopied: [UInt8] {
    var copy: [UInt8] = []
    copy.reserveCapacity(count)
    copy.append(contentsOf: self)
    return copy
  }
}
