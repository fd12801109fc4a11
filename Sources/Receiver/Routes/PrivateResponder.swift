internal import Bytes
internal import Dispatch
internal import HTTPMessage
internal import HTTPServer
internal import Signature

/// What is made away from the loops, since it asks the store.
struct PrivatePages: Sendable {
  let readiness: Readiness
  let metrics: MetricsPage
  let status: StatusReport
  let inspection: Inspection
  let history: History
  let files: PageFiles
}

/// The private listener's routes: readiness, metrics and look-ups. What takes long is answered on the side loop.
final class PrivateResponder: Responder {
  /// Bytes of a check, with some hundred ids, beyond which it goes to the side loop: a thousand take as long as
  /// hundreds of single look-ups, which would wait behind them.
  private static let longCheck = 4096

  private let loop: EventLoop
  private let context: ResponderContext
  private let pages: PrivatePages
  private let token: Secret?
  private let lookUps: LookUps
  private let forwardAuth: ForwardAuth
  private let orders: Orders
  private let inspection: InspectionRoutes
  /// Only on the side loop.
  private let feed: Feed?

  init(
    loop: EventLoop, context: ResponderContext, pages: PrivatePages, feedSignal: FeedSignal, token: Secret?, gate: Gate
  ) {
    self.loop = loop
    self.context = context
    self.pages = pages
    self.token = token
    feed = loop.isSide ? Feed(context, loop, feedSignal) : nil
    lookUps = LookUps(context)
    orders = Orders(context, loop, areAllowed: token != nil, environment: gate.environment)
    inspection = InspectionRoutes(context, loop, pages, areOrdersAllowed: token != nil)
    forwardAuth = ForwardAuth(context, lookUps, gate)
  }

  /// Forward-auth reads no body, and a proxy may pass on a request's Content-Length without the body that it announces.
  func earlyReply(to head: borrowing RequestHead, _ bytes: Span<UInt8>, exchange: Exchange) -> Reply? {
    let path = bytes.extracting(head.path.range)
    guard path.isForwardAuth else { return nil }
    return forwardAuth(head, bytes, for: exchange).map { .now($0) } ?? .later()
  }

  func roundEnded() {
    lookUps.roundEnded()
    feed?.roundEnded()
  }

  var descriptor: CInt? { lookUps.descriptor }
  var deadline: UInt64 { lookUps.deadline }
  func descriptorReady() -> [(exchange: Exchange, response: Response)] { lookUps.descriptorReady() }
  func interrupted(_ exchange: Exchange) -> Response? { feed?.interrupted(exchange) }
  func gone(_ exchange: Exchange) { feed?.gone(exchange) }
  func woken() -> [(exchange: Exchange, response: Response)] { feed?.woken() ?? [] }

  func respond(to head: borrowing RequestHead, _ bytes: Span<UInt8>, body: Span<UInt8>, exchange: Exchange) -> Reply {
    let path = bytes.extracting(head.path.range)
    let isGet = head.method == .get || head.method == .head
    let isLong = isGet && path.equals("/v1/revocations") || body.count > Self.longCheck && path.isCheck
    if isLong != loop.isSide, loop.canMove { return .elsewhere }
    if path.isForwardAuth {
      let begun = DispatchTime.now().uptimeNanoseconds
      guard let response = forwardAuth(head, bytes, for: exchange) else { return .later() }
      context.metrics.lookUpSeconds.observe(since: begun)
      return .now(response)
    }
    if path.equals("/livez") { return .now(head.method.isHealthCheck ? Answers.healthy : Answers.healthOnly) }
    if path.equals("/readyz") {
      guard head.method.isHealthCheck else { return .now(Answers.healthOnly) }
      pages.readiness.probe { [loop] response in loop.answer([(exchange, response)]) }
      return .later()
    }
    let isBelowV1 = path.hasPrefix("/v1/")
    if !isBelowV1, let response = pages.files.answer(to: path, head, bytes) { return .now(response) }
    guard isBelowV1 || path.equals("/metrics") || path.equals("/") else { return .now(Answers.notFound) }
    guard case .granted = PrivateAccess(head, bytes, token: token) else {
      context.tokenWasWrong()
      return .now(isBelowV1 ? context.stamped(Answers.tokenMissing) : Answers.tokenMissing)
    }
    if path.equals("/v1/revocations") {
      if isGet { return follow(bytes.extracting(head.query(in: bytes)), exchange) }
      guard head.method == .post else { return .now(context.stamped(Answers.getOrPost)) }
      return orders.take(body, exchange).map { .now(context.stamped($0)) } ?? .later()
    }
    // Look-ups are compared with no other route.
    if isBelowV1, !path.hasPrefix("/v1/sessions/"),
      let reply = inspection.reply(to: path, head, bytes, body: body, exchange)
    {
      return reply
    }
    if isBelowV1 {
      let begun = DispatchTime.now().uptimeNanoseconds
      guard let response = lookUp(path, head.method, body, exchange) else { return .later() }
      context.metrics.lookUpSeconds.observe(since: begun)
      return .now(context.stamped(response))
    }
    guard isGet else { return .now(Answers.getOnly) }
    if path.equals("/") { return .now(Answers.index) }
    let takesGzip = Preferences("accept-encoding", head, bytes).takes("gzip")
    pages.metrics.render(Self.metricsFormat(head, bytes)) { [loop] response in
      loop.answer([(exchange, response.compressed(if: takesGzip))])
    }
    return .later()
  }

  private static func metricsFormat(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) -> PrometheusText.Format {
    let accepted = Preferences("accept", head, bytes)
    guard let weight = accepted.weight(of: "application/openmetrics-text", version: "1.0.0"), weight > 0 else {
      return .prometheus
    }
    return weight >= accepted.weight(of: "text/plain") ?? 0 ? .openMetrics : .prometheus
  }

  private func forwardAuth(_ head: borrowing RequestHead, _ bytes: Span<UInt8>, for exchange: Exchange) -> Response? {
    guard case .granted(let byAuthorization) = PrivateAccess(head, bytes, token: token) else {
      context.tokenWasWrong()
      context.metrics.forwardAuthRefusals.add(to: .token)
      return context.stamped(Answers.forwardAuthTokenMissing)
    }
    let response = forwardAuth.answer(head, bytes, readsAuthorization: !byAuthorization, for: exchange, on: loop)
    return response.map { context.stamped($0) }
  }

  /// Returns `nil` if the answer comes later.
  private func lookUp(
    _ path: Span<UInt8>, _ method: RequestHead.Method, _ body: Span<UInt8>, _ exchange: Exchange
  ) -> Response? {
    if path.equals("/v1/sessions/check") { return method == .post ? lookUps.check(body, exchange) : Answers.postOnly }
    if path.equals("/v1/tokens/check") {
      return method == .post ? lookUps.checkTokens(body, exchange) : Answers.postOnly
    }
    let isGet = method == .get || method == .head
    guard path.hasPrefix("/v1/sessions/") else { return Answers.notFound }
    return isGet ? lookUps.one(path.extracting(13..<path.count), exchange) : Answers.getOnly
  }

  private func follow(_ query: Span<UInt8>, _ exchange: Exchange) -> Reply {
    guard let feed else { return .now(context.stamped(Answers.unfit)) }
    // A cache that took it for everybody who is revoked would let the others in.
    if let complaint = context.dynamic?.complaint { return .now(context.stamped(Answers.unfit(complaint))) }
    do throws(FeedQuery.Malformed) {
      return feed.reply(to: try FeedQuery(query), exchange)
    } catch {
      return .now(context.stamped(Response(problem: .badRequest, detail: error.detail)))
    }
  }
}

extension RequestHead.Method {
  /// What the health checks of load balancers and orchestrators ask with.
  var isHealthCheck: Bool { self == .get || self == .head || self == .options }
}

extension Span<UInt8> {
  /// Envoy appends the path of the request that it asks about.
  fileprivate var isForwardAuth: Bool {
    hasPrefix("/v1/forward-auth") && (count == 16 || self[16] == UInt8(ascii: "/"))
  }

  fileprivate var isCheck: Bool { equals("/v1/sessions/check") || equals("/v1/tokens/check") }

  func hasPrefix(_ prefix: StaticString) -> Bool {
    count >= prefix.utf8CodeUnitCount && extracting(0..<prefix.utf8CodeUnitCount).equals(prefix)
  }
}

/// Whether a request may use the private listener, and what that leaves for `Authorization` to say.
enum PrivateAccess {
  case refused
  /// `byAuthorization`: that field is our token, hence no user's JWT.
  case granted(byAuthorization: Bool)

  /// Authorization may carry the user's JWT, so the token has a field of its own as well.
  init(_ head: borrowing RequestHead, _ bytes: Span<UInt8>, token: Secret?) {
    guard let token else {
      self = .granted(byAuthorization: false)
      return
    }
    if case .once(let range) = head.value(of: "x-revoked-token", in: bytes) {
      self = token.matches(bytes.extracting(range)) ? .granted(byAuthorization: false) : .refused
      return
    }
    guard case .once(let range) = head.value(of: "authorization", in: bytes), range.count > 7 else {
      self = .refused
      return
    }
    let value = bytes.extracting(range)
    let isToken =
      value.extracting(0..<7).equals(ignoringCase: "bearer ") && token.matches(value.extracting(7..<value.count))
    self = isToken ? .granted(byAuthorization: true) : .refused
  }
}
