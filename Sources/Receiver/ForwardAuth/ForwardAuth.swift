internal import AccessTokens
internal import DynamicEvents
internal import HTTPMessage
internal import Logging
internal import RevocationStore

/// `/v1/forward-auth` on one loop: may this request pass?
final class ForwardAuth {
  private let service: Service
  private let lookUps: LookUps
  private let cookie: TokenCookie?

  init(_ service: Service, _ lookUps: LookUps, cookie: TokenCookie?) {
    self.service = service
    self.lookUps = lookUps
    self.cookie = cookie
  }

  func answer(_ head: borrowing RequestHead, _ bytes: Span<UInt8>, readsAuthorization: Bool) -> Response {
    let presented: PresentedTokens
    var tokens: [TokenClaims] = []
    do throws(PresentedTokens.Unreadable) {
      presented = try PresentedTokens(head, bytes, readsAuthorization: readsAuthorization, cookie: cookie)
      if let session = presented.session { tokens.append(TokenClaims(sid: session)) }
      for jwt in presented.jwts { tokens.append(try Self.claims(bytes.extracting(jwt))) }
    } catch {
      service.logger.debug("forward-auth refused a token that cannot be read", metadata: ["cause": "\(error.cause)"])
      service.metrics.lookUps.add(to: .noSession)
      return refuse(.unreadable)
    }
    guard !tokens.isEmpty else {
      service.metrics.lookUps.add(to: .noSession)
      return refuse(.noSession)
    }
    let response = lookUps.answer(unfit: Answers.forwardAuthUnfit) { () throws(StoreError) in
      let standing = try lookUps.reader.standing(of: tokens, at: service.now())
      service.metrics.lookUps.add(to: standing == .good ? .notRevoked : .revoked)
      switch standing {
      case .good: return Answers.notRevoked
      case .revoked: return refuse(.revoked)
      case .cutOff: return refuse(.cutOff)
      }
    }
    if response.status == .serviceUnavailable { service.metrics.forwardAuthRefusals.add(to: .unfit) }
    return response
  }

  private static func claims(_ jwt: Span<UInt8>) throws(PresentedTokens.Unreadable) -> TokenClaims {
    do throws(UnreadableToken) {
      return try TokenClaims(unverified: jwt)
    } catch {
      throw PresentedTokens.Unreadable(cause: error.description)
    }
  }

  private func refuse(_ reason: RefusalReason) -> Response {
    service.metrics.forwardAuthRefusals.add(to: reason)
    return Answers.refused(reason)
  }
}
