internal import DynamicEvents
internal import HTTPMessage
internal import Logging
internal import RevocationStore

/// Answers who is revoked, on one loop. Unfit to answer is 503, never "not revoked": every proxy refuses then.
struct LookUps {
  private let service: Service

  init(_ service: Service) {
    self.service = service
  }

  /// `GET /v1/sessions/{id}`
  func one(_ id: Span<UInt8>) -> Response {
    guard let session = SessionID(id) else { return Answers.malformedID }
    return answer { () throws(StoreError) in
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
    }
  }

  /// `POST /v1/sessions/check`
  func check(_ body: Span<UInt8>) -> Response {
    let check: SessionCheck
    do throws(SessionCheck.Malformed) {
      check = try SessionCheck(body)
    } catch {
      return Response(problem: .badRequest, detail: error.detail)
    }
    return answer { () throws(StoreError) in
      let revoked = try service.store.revocations(of: check.sessions)
      service.metrics.countLookUp(.revoked, revoked.count)
      service.metrics.countLookUp(.notRevoked, check.sessions.count - revoked.count)
      let list = revoked.map { #""\#($0.session)""# }.joined(separator: ",")
      return Response(.ok, body: #"{"revoked":[\#(list)]}"#)
    }
  }

  /// `/v1/forward-auth`
  func forwardAuth(_ head: borrowing RequestHead, _ bytes: Span<UInt8>, readsAuthorization: Bool) -> Response {
    switch PresentedSessions(head, bytes, readsAuthorization: readsAuthorization) {
    case .unusable(let reason):
      service.metrics.countLookUp(.noSession)
      service.logger.debug("forward-auth refused a request without a usable session", metadata: ["reason": "\(reason)"])
      return Answers.invalidToken
    case .these(let sessions):
      return answer { () throws(StoreError) in
        let isRevoked = try !service.store.revocations(of: sessions).isEmpty
        service.metrics.countLookUp(isRevoked ? .revoked : .notRevoked)
        return isRevoked ? Answers.invalidToken : Answers.notRevoked
      }
    }
  }

  private func answer(_ ask: () throws(StoreError) -> Response) -> Response {
    do throws(StoreError) {
      return try ask()
    } catch {
      service.metrics.countLookUp(.failed)
      service.lookUpFailed(error)
      return Answers.unavailable
    }
  }
}
