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

  /// Returns `nil` if the answer waits for keys that are being fetched: then the exchange gets it later.
  ///
  /// - Parameter exchange: `nil`: there can be no later answer.
  func answer(
    _ head: borrowing RequestHead, _ bytes: Span<UInt8>, readsAuthorization: Bool, for exchange: Exchange?,
    on loop: EventLoop
  ) -> Response? {
    let presented: PresentedTokens
    do throws(PresentedTokens.Unreadable) {
      presented = try PresentedTokens(head, bytes, readsAuthorization: readsAuthorization, cookie: gate.cookie)
    } catch {
      return response(to: unreadable(error.cause))
    }
    let verdict = judge(presented, bytes)
    guard case .needs(let key) = verdict, let keys = gate.verification?.keys else { return response(to: verdict) }
    guard let exchange else {
      _ = keys.search(for: key) {}
      return response(to: .refused(.unfit))
    }
    let copy = bytes.indices.map { bytes[$0] }
    let search = keys.search(for: key) { [context, gate] in
      // On the ring's queue, with a reader of its own: keys change seldom.
      let response = ForwardAuth(context, LookUps(context), gate).answerAnew(presented, copy.span)
      loop.answer([(exchange, context.stamped(response))])
    }
    switch search {
    case .absent: return response(to: .refused(.notGenuine))
    case .tooSoon: return response(to: .refused(.unfit))
    case .waiting: return nil
    }
  }

  /// Judges a request again that has waited for keys.
  private func answerAnew(_ presented: PresentedTokens, _ bytes: Span<UInt8>) -> Response {
    let verdict = judge(presented, bytes)
    guard case .needs(let key) = verdict, let keys = gate.verification?.keys else { return response(to: verdict) }
    guard case .absent = keys.search(for: key, isRetry: true, done: {}) else { return response(to: .refused(.unfit)) }
    return response(to: .refused(.notGenuine))
  }

  private func judge(_ presented: PresentedTokens, _ bytes: Span<UInt8>) -> Verdict {
    if context.dynamic?.isPending == true {
      context.metrics.lookUps.add(to: .failed)
      return .refused(.unfit)
    }
    let now = context.now()
    var tokens: [TokenClaims] = []
    var bearer: VerifiedToken?
    if let session = presented.session { tokens.append(TokenClaims(sid: session)) }
    if let verification = gate.verification, let verifier {
      // A session's id alone proves nothing.
      guard !presented.jwts.isEmpty else { return noSession() }
      guard verification.keys.isUsable(at: now), useNewestKeys(verification.keys, verifier) else {
        return .refused(.unfit)
      }
      for jwt in presented.jwts {
        do throws(TokenRefusal) {
          let token = try verifier.verify(bytes.extracting(jwt), at: now)
          if let bearer, bearer.user != token.user { return unreadable("two JWTs are of two users") }
          // Of two the one in Authorization, which comes first.
          if bearer == nil { bearer = token }
          tokens.append(token.claims)
        } catch {
          return verdict(of: error)
        }
      }
    } else {
      for jwt in presented.jwts {
        do throws(UnreadableToken) {
          tokens.append(try TokenClaims(unverified: bytes.extracting(jwt)))
        } catch {
          return unreadable(error.description)
        }
      }
      guard !tokens.isEmpty else { return noSession() }
    }
    return standing(of: tokens, bearer, at: now)
  }

  private func standing(of tokens: [TokenClaims], _ bearer: VerifiedToken?, at now: Timestamp) -> Verdict {
    do throws(StoreError) {
      let standing = try lookUps.reader.standing(of: tokens, at: now)
      context.reads.worked()
      context.metrics.lookUps.add(to: standing == .good ? .notRevoked : .revoked)
      switch standing {
      case .good: return .passes(bearer)
      case .revoked: return .refused(.revoked)
      case .cutOff: return .refused(.cutOff)
      }
    } catch {
      context.metrics.lookUps.add(to: .failed)
      context.lookUpFailed(error)
      return .refused(.unfit)
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
