internal import DynamicEvents
internal import HTTPMessage
internal import HTTPServer
internal import Logging
internal import RevocationStore
internal import Signature
internal import Synchronization

/// The private listener's routes: readiness, metrics and look-ups.
final class PrivateResponder: Responder {
  private let loop: EventLoop
  private let service: Service
  private let readiness: Readiness
  private let metricsPage: MetricsPage
  private let token: Secret?

  init(loop: EventLoop, service: Service, readiness: Readiness, metricsPage: MetricsPage, token: Secret?) {
    self.loop = loop
    self.service = service
    self.readiness = readiness
    self.metricsPage = metricsPage
    self.token = token
  }

  func refusal(of head: borrowing RequestHead, _ bytes: Span<UInt8>) -> Response? { nil }

  func roundEnded() {}

  func respond(to head: borrowing RequestHead, _ bytes: Span<UInt8>, body: Span<UInt8>, exchange: Exchange) -> Response?
  {
    let path = bytes.extracting(head.path.range)
    let isGet = head.method == .get || head.method == .head
    if path.equals("/livez") { return isGet ? Answers.healthy : Answers.getOnly }
    if path.equals("/readyz") {
      guard isGet else { return Answers.getOnly }
      readiness.probe { [loop] response in loop.answer([(exchange, response)]) }
      return nil
    }
    if path.hasPrefix("/v1/") { return answer(path, isGet, isAuthorized(head, bytes)).adding(freshness) }
    guard path.equals("/metrics") || path.equals("/") else { return Answers.notFound }
    guard isAuthorized(head, bytes) else { return Answers.tokenMissing }
    guard isGet else { return Answers.getOnly }
    if path.equals("/") { return Answers.index }
    metricsPage.render { [loop] response in loop.answer([(exchange, response)]) }
    return nil
  }

  /// What stands below `/v1/`.
  private func answer(_ path: Span<UInt8>, _ isGet: Bool, _ isAuthorized: Bool) -> Response {
    guard isAuthorized else { return Answers.tokenMissing }
    guard path.hasPrefix("/v1/sessions/") else { return Answers.notFound }
    return isGet ? lookUp(path.extracting(13..<path.count)) : Answers.getOnly
  }

  /// Authorization may carry the user's JWT, so the token has a field of its own as well.
  private func isAuthorized(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) -> Bool {
    guard let token else { return true }
    if case .once(let range) = head.value(of: "x-revoked-token", in: bytes) {
      return token.matches(bytes.extracting(range))
    }
    guard case .once(let range) = head.value(of: "authorization", in: bytes), range.count > 7 else { return false }
    let value = bytes.extracting(range)
    return value.extracting(0..<7).equals(ignoringCase: "bearer ") && token.matches(value.extracting(7..<value.count))
  }

  private func lookUp(_ text: Span<UInt8>) -> Response {
    guard let session = SessionID(text) else { return Answers.malformedID }
    do throws(StoreError) {
      let revocation = try service.store.revocation(of: session)
      service.metrics.countLookUp(revocation == nil ? .notRevoked : .revoked)
      var body = #"{"sessionId":"\#(session)","revoked":"#
      if let revocation {
        body += #"true,"revokedAt":"\#(revocation.revokedAt)","by":"\#(revocation.by.rawValue)","#
        body += #""eventId":\#(revocation.eventID.map(JSONText.quoted) ?? "null")}"#
      } else {
        body += "false}"
      }
      return Response(.ok, body: body)
    } catch {
      service.metrics.countLookUp(.failed)
      service.logger.error("a look-up failed; answered 503", metadata: ["error": "\(error)"])
      return Answers.unavailable
    }
  }

  /// Lets a caller tell quiet from broken.
  private var freshness: [(StaticString, String)] {
    guard let time = service.lastSigned else { return [] }
    return [("X-Revoked-Last-Event", time.description)]
  }
}

extension Span<UInt8> {
  fileprivate func hasPrefix(_ prefix: StaticString) -> Bool {
    count >= prefix.utf8CodeUnitCount && extracting(0..<prefix.utf8CodeUnitCount).equals(prefix)
  }
}
