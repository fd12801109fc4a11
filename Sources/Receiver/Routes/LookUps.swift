internal import Bytes
internal import DynamicEvents
internal import HTTPMessage
internal import Logging
internal import Storage

/// Makes the answers to look-ups, on one loop. Unfit to answer is 503, never "not revoked": every proxy refuses then.
final class LookUps {
  private let context: ResponderContext
  let reader: any InlineLookUps

  init(_ context: ResponderContext) {
    self.context = context
    reader = context.store.makeLookUps().awaited
  }

  /// What was asked in this round is answered: lets go of what was read.
  func roundEnded() { reader.roundEnded() }

  /// `GET /v1/sessions/{id}`
  func one(_ id: Span<UInt8>) -> Response {
    guard let session = SessionID(id) else { return Answers.malformedID }
    return answer(unfit: Answers.unfit) { () throws(StoreError) in
      let report = try reader.revocation(of: session) { Self.report(session, revokedAt: $0, by: $1, eventID: $2) }
      context.metrics.lookUps.add(to: report == nil ? .notRevoked : .revoked)
      return Response(.ok, body: report ?? Self.report(session))
    }
  }

  /// `POST /v1/sessions/check`
  func check(_ body: Span<UInt8>) -> Response {
    let check: SessionCheck
    do throws(CheckBody.Malformed) {
      check = try SessionCheck(body)
    } catch {
      return Response(problem: .badRequest, detail: error.detail)
    }
    return answer(unfit: Answers.unfit) { () throws(StoreError) in
      let revoked = try reader.revoked(of: check.sessions)
      context.metrics.lookUps.add(revoked.count, to: .revoked)
      context.metrics.lookUps.add(check.sessions.count - revoked.count, to: .notRevoked)
      let list = check.spelled(revoked).map { #""\#($0)""# }.joined(separator: ",")
      return Response(.ok, body: #"{"revoked":[\#(list)]}"#)
    }
  }

  /// `POST /v1/tokens/check`
  func checkTokens(_ body: Span<UInt8>) -> Response {
    let check: TokenCheck
    do throws(CheckBody.Malformed) {
      check = try TokenCheck(body)
    } catch {
      return Response(problem: .badRequest, detail: error.detail)
    }
    return answer(unfit: Answers.unfit) { () throws(StoreError) in
      let standings = try reader.standings(of: check.tokens, at: context.now())
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

  private func answer(unfit: Response, _ ask: () throws(StoreError) -> Response) -> Response {
    if let complaint = context.dynamic?.complaint {
      context.metrics.lookUps.add(to: .failed)
      return Answers.unfit(complaint)
    }
    do throws(StoreError) {
      let response = try ask()
      context.reads.worked()
      return response
    } catch {
      context.metrics.lookUps.add(to: .failed)
      context.lookUpFailed(error)
      return unfit
    }
  }
}
