internal import Bytes
internal import Dispatch
internal import DynamicEvents
internal import HTTPMessage
internal import HTTPServer
internal import Logging
internal import Storage

/// Makes the answers to look-ups, on one loop. Unfit to answer is 503, never "not revoked": every proxy refuses then.
///
/// Each call returns `nil` where the answer comes later, for the exchange, from `descriptorReady`.
final class LookUps {
  private let context: ResponderContext
  private let path: LookUpPath
  /// What has come of remote look-ups and is not fetched.
  private var answers: [(exchange: Exchange, response: Response)] = []

  init(_ context: ResponderContext) {
    self.context = context
    path = context.store.makeLookUps()
  }

  /// `GET /v1/sessions/{id}`
  func one(_ id: Span<UInt8>, _ exchange: Exchange) -> Response? {
    guard let session = SessionID(id) else { return Answers.malformedID }
    if let unfit = unfit() { return unfit }
    switch path {
    case .inline(let lookUps):
      return answer { () throws(StoreError) in
        let report = try lookUps.revocation(of: session) { Self.report(session, revokedAt: $0, by: $1, eventID: $2) }
        return response(to: session, report)
      }
    case .remote(let lookUps):
      lookUps.revocation(
        of: session,
        later(exchange) { lookUps, found in
          let report = found.map {
            Self.report(session, revokedAt: $0.revokedAt, by: $0.by, eventID: Array(($0.eventID ?? "").utf8).span)
          }
          return lookUps.response(to: session, report)
        })
      return nil
    }
  }

  /// `POST /v1/sessions/check`
  func check(_ body: Span<UInt8>, _ exchange: Exchange) -> Response? {
    let check: SessionCheck
    do throws(CheckBody.Malformed) {
      check = try SessionCheck(body)
    } catch {
      return Response(problem: .badRequest, detail: error.detail)
    }
    if let unfit = unfit() { return unfit }
    switch path {
    case .inline(let lookUps):
      return answer { () throws(StoreError) in response(to: check, try lookUps.revoked(of: check.sessions)) }
    case .remote(let lookUps):
      lookUps.revoked(of: check.sessions, later(exchange) { $0.response(to: check, $1) })
      return nil
    }
  }

  /// `POST /v1/tokens/check`
  func checkTokens(_ body: Span<UInt8>, _ exchange: Exchange) -> Response? {
    let check: TokenCheck
    do throws(CheckBody.Malformed) {
      check = try TokenCheck(body)
    } catch {
      return Response(problem: .badRequest, detail: error.detail)
    }
    if let unfit = unfit() { return unfit }
    switch path {
    case .inline(let lookUps):
      return answer { () throws(StoreError) in
        response(to: try lookUps.standings(of: check.tokens, at: context.now()))
      }
    case .remote(let lookUps):
      lookUps.standings(of: check.tokens, at: context.now(), later(exchange) { $0.response(to: $1) })
      return nil
    }
  }

  /// What is known of a request that presents these tokens; `nil` where nothing can be. Only where look-ups are not
  /// remote.
  func standing(of tokens: [TokenClaims], at now: Timestamp) -> TokenStanding? {
    guard case .inline(let lookUps) = path else { return nil }
    do throws(StoreError) {
      return count(try lookUps.standing(of: tokens, at: now))
    } catch {
      failed(error)
      return nil
    }
  }

  /// The same wherever they are. May wait: on no event loop.
  func awaitedStanding(of tokens: [TokenClaims], at now: Timestamp) -> TokenStanding? {
    do throws(StoreError) {
      return count(try path.awaited.standing(of: tokens, at: now))
    } catch {
      failed(error)
      return nil
    }
  }

  var areRemote: Bool {
    if case .remote = path { true } else { false }
  }

  /// The same where they are. `respond` makes the response, once it is known.
  func standing(
    of tokens: [TokenClaims], at now: Timestamp, _ exchange: Exchange,
    _ respond: @escaping (TokenStanding?) -> Response
  ) {
    guard case .remote(let lookUps) = path else { return }
    let begun = DispatchTime.now().uptimeNanoseconds
    lookUps.standings(of: tokens, at: now) { [weak self] result in
      guard let self else { return }
      switch result {
      case .success(let standings): add(respond(count(TokenStanding(ofAll: standings))), exchange, since: begun)
      case .failure(let error):
        failed(error)
        add(respond(nil), exchange, since: begun)
      }
    }
  }

  // MARK: The loop

  /// What was asked in this round goes out, or is answered: lets go of what was read.
  func roundEnded() {
    switch path {
    case .inline(let lookUps): lookUps.roundEnded()
    case .remote(let lookUps): lookUps.roundEnded()
    }
  }

  var descriptor: CInt? {
    if case .remote(let lookUps) = path { lookUps.descriptor } else { nil }
  }

  var deadline: UInt64 {
    guard case .remote(let lookUps) = path else { return .max }
    // What failed at once is answered at once.
    return answers.isEmpty ? lookUps.deadline : 0
  }

  func descriptorReady() -> [(exchange: Exchange, response: Response)] {
    if case .remote(let lookUps) = path { lookUps.descriptorReady() }
    defer { answers.removeAll(keepingCapacity: true) }
    return answers
  }

  // MARK: Answers

  private func response(to session: SessionID, _ report: [UInt8]?) -> Response {
    context.metrics.lookUps.add(to: report == nil ? .notRevoked : .revoked)
    return Response(.ok, body: report ?? Self.report(session))
  }

  private func response(to check: SessionCheck, _ revoked: [SessionID]) -> Response {
    context.metrics.lookUps.add(revoked.count, to: .revoked)
    context.metrics.lookUps.add(check.sessions.count - revoked.count, to: .notRevoked)
    let list = check.spelled(revoked).map { #""\#($0)""# }.joined(separator: ",")
    return Response(.ok, body: #"{"revoked":[\#(list)]}"#)
  }

  private func response(to standings: [TokenStanding]) -> Response {
    let good = standings.count { $0 == .good }
    context.metrics.lookUps.add(good, to: .notRevoked)
    context.metrics.lookUps.add(standings.count - good, to: .revoked)
    let list = standings.map { standing in
      switch standing {
      case .good: #"{"refused":false}"#
      case .revoked: #"{"refused":true,"reason":"\#(RefusalReason.revoked.rawValue)"}"#
      case .cutOff: #"{"refused":true,"reason":"\#(RefusalReason.cutOff.rawValue)"}"#
      }
    }
    return Response(.ok, body: #"{"results":[\#(list.joined(separator: ","))]}"#)
  }

  // As bytes: putting Strings together would cost more than the look-up.

  private static func report(_ session: SessionID) -> [UInt8] {
    var body: [UInt8] = []
    body.reserveCapacity(80)
    body.append(contentsOf: #"{"sessionId":""#)
    session.append(to: &body)
    body.append(contentsOf: #"","revoked":false}"#)
    return body
  }

  private static func report(
    _ session: SessionID, revokedAt: Timestamp, by: RevokedBy, eventID: Span<UInt8>
  ) -> [UInt8] {
    var body: [UInt8] = []
    body.reserveCapacity(192)
    body.append(contentsOf: #"{"sessionId":""#)
    session.append(to: &body)
    body.append(contentsOf: #"","revoked":true,"revokedAt":""#)
    revokedAt.append(to: &body)
    body.append(contentsOf: #"","by":""#)
    body.append(contentsOf: by.rawValue.utf8)
    body.append(contentsOf: #"","eventId":"#)
    if eventID.isEmpty { body.append(contentsOf: "null") } else { JSONText.append(eventID, to: &body) }
    body.append(UInt8(ascii: "}"))
    return body
  }

  /// A new store that has not caught up with Dynamic does not know who is not revoked.
  private func unfit() -> Response? {
    guard let complaint = context.dynamic?.complaint else { return nil }
    context.metrics.lookUps.add(to: .failed)
    return Answers.unfit(complaint)
  }

  private func answer(_ ask: () throws(StoreError) -> Response) -> Response {
    do throws(StoreError) {
      let response = try ask()
      context.reads.worked()
      return response
    } catch {
      failed(error)
      return Answers.unfit
    }
  }

  /// What to call with the answer to a remote look-up.
  private func later<Value>(
    _ exchange: Exchange, _ make: @escaping (LookUps, Value) -> Response
  ) -> (Result<Value, StoreError>) -> Void {
    let begun = DispatchTime.now().uptimeNanoseconds
    return { [weak self] result in
      guard let self else { return }
      let response = answer { () throws(StoreError) in make(self, try result.get()) }
      add(context.stamped(response), exchange, since: begun)
    }
  }

  private func add(_ response: Response, _ exchange: Exchange, since begun: UInt64) {
    context.metrics.lookUpSeconds.observe(since: begun)
    answers.append((exchange, response))
  }

  private func count(_ standing: TokenStanding) -> TokenStanding {
    context.reads.worked()
    context.metrics.lookUps.add(to: standing == .good ? .notRevoked : .revoked)
    return standing
  }

  private func failed(_ error: StoreError) {
    context.metrics.lookUps.add(to: .failed)
    context.lookUpFailed(error)
  }
}
