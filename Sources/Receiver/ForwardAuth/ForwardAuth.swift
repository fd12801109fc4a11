internal import AccessTokens
internal import DynamicEvents
internal import HTTPMessage
internal import HTTPServer
internal import Logging
internal import Storage

/// `/v1/forward-auth` on one queue: may this request pass?
final class ForwardAuth {
  /// What becomes of a request.
  private enum Verdict {
    case passes(VerifiedToken?)
    case refused(RefusalReason)
    /// One of its tokens is signed with a key that is not known.
    case needs(UnknownKey)
  }

  /// Who presents which tokens, once all of them are found in order.
  private struct Question {
    let tokens: [TokenClaims]
    let bearer: VerifiedToken?
    let now: Timestamp
  }

  private enum Examination {
    case settled(Verdict)
    case open(Question)
  }

  private let context: ResponderContext
  private let lookUps: LookUps
  private let gate: Gate
  private let verifier: TokenVerifier?
  /// Which of the ring's sets the verifier has.
  private var keysVersion = 0

  init(_ context: ResponderContext, _ lookUps: LookUps, _ gate: Gate) {
    self.context = context
    self.lookUps = lookUps
    self.gate = gate
    verifier = gate.verification.map { TokenVerifier($0.rules) }
  }

  /// Returns `nil` if the answer waits for keys that are being fetched, or for a remote look-up: then the exchange gets
  /// it later.
  func answer(
    _ head: borrowing RequestHead, _ bytes: Span<UInt8>, readsAuthorization: Bool, for exchange: Exchange,
    on loop: EventLoop
  ) -> Response? {
    let presented: PresentedTokens
    do throws(PresentedTokens.Unreadable) {
      presented = try PresentedTokens(head, bytes, readsAuthorization: readsAuthorization, cookie: gate.cookie)
    } catch {
      return response(to: unreadable(error.cause))
    }
    let verdict: Verdict
    switch examine(presented, bytes) {
    case .settled(let settled): verdict = settled
    case .open(let question):
      guard lookUps.areRemote else {
        return response(to: self.verdict(on: lookUps.standing(of: question.tokens, at: question.now), question))
      }
      // Whatever the answer is made with outlives the request's bytes.
      lookUps.standing(of: question.tokens, at: question.now, exchange) { [weak self] standing in
        guard let self else { return Answers.forwardAuthUnfit }
        return context.stamped(response(to: self.verdict(on: standing, question)))
      }
      return nil
    }
    guard case .needs(let key) = verdict, let keys = gate.verification?.keys else { return response(to: verdict) }
    let copy = bytes.indices.map { bytes[$0] }
    let search = keys.search(for: key) { [context, gate] in
      // On the ring's queue, with look-ups of its own: keys change seldom.
      let response = ForwardAuth(context, LookUps(context), gate).answerAnew(presented, copy.span)
      loop.answer([(exchange, context.stamped(response))])
    }
    switch search {
    case .absent: return response(to: .refused(.notGenuine))
    case .tooSoon: return response(to: .refused(.unfit))
    case .waiting: return nil
    }
  }

  /// Judges a request again that has waited for keys. May wait.
  private func answerAnew(_ presented: PresentedTokens, _ bytes: Span<UInt8>) -> Response {
    let verdict: Verdict
    switch examine(presented, bytes) {
    case .settled(let settled): verdict = settled
    case .open(let question):
      return response(to: self.verdict(on: lookUps.awaitedStanding(of: question.tokens, at: question.now), question))
    }
    guard case .needs(let key) = verdict, let keys = gate.verification?.keys else { return response(to: verdict) }
    guard case .absent = keys.search(for: key, isRetry: true, done: {}) else { return response(to: .refused(.unfit)) }
    return response(to: .refused(.notGenuine))
  }

  /// All that can be said without asking who is revoked.
  private func examine(_ presented: PresentedTokens, _ bytes: Span<UInt8>) -> Examination {
    if context.dynamic?.isPending == true {
      context.metrics.lookUps.add(to: .failed)
      return .settled(.refused(.unfit))
    }
    let now = context.now()
    var tokens: [TokenClaims] = []
    var bearer: VerifiedToken?
    if let session = presented.session { tokens.append(TokenClaims(sid: session)) }
    if let verification = gate.verification, let verifier {
      // A session's id alone proves nothing.
      guard !presented.jwts.isEmpty else { return .settled(noSession()) }
      guard verification.keys.isUsable(at: now), useNewestKeys(verification.keys, verifier) else {
        return .settled(.refused(.unfit))
      }
      for jwt in presented.jwts {
        do throws(TokenRefusal) {
          let token = try verifier.verify(bytes.extracting(jwt), at: now)
          if let bearer, bearer.user != token.user { return .settled(unreadable("two JWTs are of two users")) }
          // Of two the one in Authorization, which comes first.
          if bearer == nil { bearer = token }
          tokens.append(token.claims)
        } catch {
          return .settled(verdict(of: error))
        }
      }
    } else {
      for jwt in presented.jwts {
        do throws(UnreadableToken) {
          tokens.append(try TokenClaims(unverified: bytes.extracting(jwt)))
        } catch {
          return .settled(unreadable(error.description))
        }
      }
      guard !tokens.isEmpty else { return .settled(noSession()) }
    }
    return .open(Question(tokens: tokens, bearer: bearer, now: now))
  }

  /// - Parameter standing: `nil`: it cannot be known.
  private func verdict(on standing: TokenStanding?, _ question: Question) -> Verdict {
    switch standing {
    case .good: .passes(question.bearer)
    case .revoked: .refused(.revoked)
    case .cutOff: .refused(.cutOff)
    case nil: .refused(.unfit)
    }
  }

  /// `false`: libcrypto failed, and nothing can be verified.
  private func useNewestKeys(_ ring: KeyRing, _ verifier: TokenVerifier) -> Bool {
    // The version first: a set that comes in between is taken twice rather than missed.
    let version = ring.version
    guard version != keysVersion else { return true }
    guard let keys = ring.keys, (try? verifier.use(keys)) != nil else { return false }
    keysVersion = version
    return true
  }

  private func verdict(of refusal: TokenRefusal) -> Verdict {
    switch refusal {
    case .unreadable(let cause): return unreadable(cause.description)
    case .expired: return .refused(.expired)
    case .notGenuine: return .refused(.notGenuine)
    case .scope: return .refused(.scope)
    case .unknownKey(let key): return .needs(key)
    }
  }

  private func noSession() -> Verdict {
    context.metrics.lookUps.add(to: .noSession)
    return .refused(.noSession)
  }

  private func unreadable(_ cause: String) -> Verdict {
    context.logger.debug("forward-auth refused a token that cannot be read", metadata: ["cause": "\(cause)"])
    context.metrics.lookUps.add(to: .noSession)
    return .refused(.unreadable)
  }

  private func response(to verdict: Verdict) -> Response {
    switch verdict {
    case .passes(nil): return Answers.notRevoked
    case .passes(let token?):
      var response = Answers.notRevoked
      response.line = Self.identity(token)
      return response
    case .refused(let reason):
      context.metrics.forwardAuthRefusals.add(to: reason)
      return reason == .unfit ? Answers.forwardAuthUnfit : Answers.refused(reason)
    case .needs:
      context.metrics.forwardAuthRefusals.add(to: .unfit)
      return Answers.forwardAuthUnfit
    }
  }

  /// Whom the proxy may tell the application of.
  private static func identity(_ token: VerifiedToken) -> [UInt8] {
    var lines: [UInt8] = []
    lines.reserveCapacity(192)
    lines.append(contentsOf: "X-Auth-User: ")
    lines.append(contentsOf: token.user)
    lines.append(contentsOf: "\r\nX-Auth-Session: ")
    token.claims.sid.append(to: &lines)
    lines.append(contentsOf: "\r\n")
    return lines
  }
}

/// What the gates of all loops share.
struct Gate: Sendable {
  struct Verification: Sendable {
    let rules: TokenRules
    let keys: KeyRing
  }

  let cookie: TokenCookie?
  let verification: Verification?
  /// Of which alone the sessions may be refused by order; `nil`: of any.
  let environment: UUIDBytes?
}

extension Gate {
  init(_ receiver: ReceiverConfiguration, _ context: ResponderContext) {
    let configuration = receiver.forwardAuth
    environment = receiver.environmentID.flatMap { UUIDBytes(uuid: Array($0.utf8).span) }
    cookie = configuration.cookie.flatMap { TokenCookie(name: $0) }
    verification = configuration.verification.map { verification in
      Verification(
        rules: TokenRules(
          environment: verification.environmentID, scope: verification.scope, audience: verification.audience),
        keys: KeyRing(
          source: verification.keysURL, maxAge: verification.keysMaxAge, store: context.store, logger: context.logger,
          now: context.now, fetch: KeySource(verification).fetch))
    }
  }
}
