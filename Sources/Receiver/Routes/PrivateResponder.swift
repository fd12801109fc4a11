internal import HTTPMessage
internal import HTTPServer
internal import Signature

/// The private listener's routes: readiness, metrics and look-ups.
final class PrivateResponder: Responder {
  private let loop: EventLoop
  private let service: Service
  private let readiness: Readiness
  private let metricsPage: MetricsPage
  private let token: Secret?
  private let lookUps: LookUps
  private let forwardAuth: ForwardAuth
  private let orders: Orders
  private let feed: Feed

  init(
    loop: EventLoop, service: Service, readiness: Readiness, metricsPage: MetricsPage, feed: Feed, token: Secret?,
    gate: Gate
  ) {
    self.loop = loop
    self.service = service
    self.readiness = readiness
    self.metricsPage = metricsPage
    self.token = token
    self.feed = feed
    lookUps = LookUps(service)
    orders = Orders(service, loop, areAllowed: token != nil)
    forwardAuth = ForwardAuth(service, lookUps, gate)
  }

  /// Forward-auth reads no body, and a proxy may pass on a request's Content-Length without the body that it announces.
  func earlyResponse(to head: borrowing RequestHead, _ bytes: Span<UInt8>) -> Response? {
    let path = bytes.extracting(head.path.range)
    return path.isForwardAuth ? forwardAuth(head, bytes, for: nil) : nil
  }

  func roundEnded() { lookUps.roundEnded() }

  func respond(to head: borrowing RequestHead, _ bytes: Span<UInt8>, body: Span<UInt8>, exchange: Exchange) -> Response?
  {
    let path = bytes.extracting(head.path.range)
    if path.isForwardAuth { return forwardAuth(head, bytes, for: exchange) }
    let isGet = head.method == .get || head.method == .head
    if path.equals("/livez") { return isGet ? Answers.healthy : Answers.getOnly }
    if path.equals("/readyz") {
      guard isGet else { return Answers.getOnly }
      readiness.probe { [loop] response in loop.answer([(exchange, response)]) }
      return nil
    }
    let access = PrivateAccess(head, bytes, token: token)
    if path.hasPrefix("/v1/") {
      guard let answer = answer(path, head, bytes, body, access, exchange) else { return nil }
      return service.stamped(answer)
    }
    guard path.equals("/metrics") || path.equals("/") else { return Answers.notFound }
    guard case .granted = access else { return tokenMissing() }
    guard isGet else { return Answers.getOnly }
    if path.equals("/") { return Answers.index }
    metricsPage.render { [loop] response in loop.answer([(exchange, response)]) }
    return nil
  }

  private func forwardAuth(_ head: borrowing RequestHead, _ bytes: Span<UInt8>, for exchange: Exchange?) -> Response? {
    guard case .granted(let byAuthorization) = PrivateAccess(head, bytes, token: token) else {
      service.tokenWasWrong()
      service.metrics.forwardAuthRefusals.add(to: .token)
      return service.stamped(Answers.forwardAuthTokenMissing)
    }
    let response = forwardAuth.answer(head, bytes, readsAuthorization: !byAuthorization, for: exchange, on: loop)
    return response.map { service.stamped($0) }
  }

  private func tokenMissing() -> Response {
    service.tokenWasWrong()
    return Answers.tokenMissing
  }

  /// What stands below `/v1/`.
  private func answer(
    _ path: Span<UInt8>, _ head: borrowing RequestHead, _ bytes: Span<UInt8>, _ body: Span<UInt8>,
    _ access: PrivateAccess, _ exchange: Exchange
  ) -> Response? {
    guard case .granted = access else { return tokenMissing() }
    if path.equals("/v1/sessions/check") {
      return head.method == .post ? lookUps.check(body) : Answers.postOnly
    }
    if path.equals("/v1/tokens/check") {
      return head.method == .post ? lookUps.checkTokens(body) : Answers.postOnly
    }
    let isGet = head.method == .get || head.method == .head
    if path.equals("/v1/revocations") {
      if head.method == .post { return orders.take(body, exchange) }
      return isGet ? follow(bytes.extracting(head.query(in: bytes)), exchange) : Answers.getOrPost
    }
    guard path.hasPrefix("/v1/sessions/") else { return Answers.notFound }
    return isGet ? lookUps.one(path.extracting(13..<path.count)) : Answers.getOnly
  }

  /// nil: the feed answers.
  private func follow(_ query: Span<UInt8>, _ exchange: Exchange) -> Response? {
    do throws(FeedQuery.Malformed) {
      feed.ask(try FeedQuery(query), exchange, on: loop)
      return nil
    } catch {
      return Response(problem: .badRequest, detail: error.detail)
    }
  }
}

extension Span<UInt8> {
  /// Envoy appends the path of the request that it asks about.
  fileprivate var isForwardAuth: Bool {
    hasPrefix("/v1/forward-auth") && (count == 16 || self[16] == UInt8(ascii: "/"))
  }

  fileprivate func hasPrefix(_ prefix: StaticString) -> Bool {
    count >= prefix.utf8CodeUnitCount && extracting(0..<prefix.utf8CodeUnitCount).equals(prefix)
  }
}
