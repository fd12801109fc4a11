internal import Bytes
package import DynamicEvents
package import Signature

/// A JWT whose signature and claims were verified.
package struct VerifiedToken: Sendable {
  package let claims: TokenClaims
  /// `sub`, as it may stand in a header field: visible ASCII.
  package let user: [UInt8]
  /// `exp`.
  let expires: NumericDate
}

/// Verifies JWTs with the keys of one environment, by `RS256` and nothing else, whatever a token's header wishes
/// (RFC 8725 §3.1). Not `Sendable`: one per loop.
package final class TokenVerifier {
  private let rules: TokenRules
  private var keys: [(id: [UInt8], verifier: RS256)] = []
  private var verified = VerifiedTokens()

  package init(_ rules: TokenRules) {
    self.rules = rules
  }

  /// Verifies with these keys from now on. Forgets every token that was verified with others.
  package func use(_ keySet: KeySet) throws(OpenSSLFailure) {
    verified = VerifiedTokens()
    keys = []
    for (id, key) in keySet.keys { keys.append((id, try RS256(key))) }
  }

  /// The second time a token costs one SHA-256. Whether it is revoked must be asked each time.
  package func verify(_ jwt: Span<UInt8>, at now: Timestamp) throws(TokenRefusal) -> VerifiedToken {
    // A failure of libcrypto refuses, here and below.
    guard let digest = try? SHA256.digest(of: jwt) else { throw .notGenuine }
    if let token = verified.token(digest, at: now) { return token }
    let token = try verifyAnew(jwt, at: now)
    verified.insert(token, digest)
    return token
  }

  private func verifyAnew(_ jwt: Span<UInt8>, at now: Timestamp) throws(TokenRefusal) -> VerifiedToken {
    let parts: CompactJWT
    let payload: TokenPayload
    do throws(UnreadableToken) {
      parts = try CompactJWT(jwt)
      payload = try TokenPayload(jwt.extracting(parts.payload))
    } catch {
      throw .unreadable(error)
    }
    guard payload.text.span.isWithinUsualLimits else { throw .notGenuine }
    let header: TokenHeader
    do throws(TokenHeader.Fault) {
      header = try TokenHeader(jwt.extracting(parts.header))
    } catch {
      switch error {
      case .unreadable(let reason): throw .unreadable(reason)
      case .unsupported: throw .notGenuine
      }
    }
    guard let signature = Base64URL.decode(jwt.extracting(parts.signature)) else {
      throw .unreadable(.notBase64URL)
    }
    let candidates = keys.filter { $0.id == header.keyID }
    guard !candidates.isEmpty else {
      // Only a token that could be genuine is worth a look for newer keys.
      try rules.check(payload, at: now)
      throw .unknownKey(UnknownKey(id: header.keyID, issuedAt: payload.claims.issuedAt))
    }
    guard let signed = try? SHA256.digest(of: jwt.extracting(parts.signed)),
      candidates.contains(where: { $0.verifier.isValid(signature.span, of: signed) })
    else { throw .notGenuine }
    try rules.check(payload, at: now)
    guard let user = payload.visibleSubject, let expires = payload.withValue(of: .exp, { NumericDate($0) }) ?? nil
    else { throw .notGenuine }
    return VerifiedToken(claims: payload.claims, user: user, expires: expires)
  }
}

extension TokenPayload {
  /// `sub`, if it is a string that a header field can carry.
  fileprivate var visibleSubject: [UInt8]? {
    let subject = withValue(of: .sub) { value in
      value.withString { text -> [UInt8]? in
        // Dynamic's are UUIDs.
        guard !text.isEmpty, text.count <= 128 else { return nil }
        for index in text.indices where text[index] <= 0x20 || text[index] >= 0x7F { return nil }
        return text.indices.map { text[$0] }
      }
    }
    return (subject ?? nil) ?? nil
  }
}

/// The tokens that were verified last, by the SHA-256 of the whole token.
///
/// Two generations of bounded size: when the younger is full it becomes the older, and what is asked for there moves
/// up. Together they hold at most 16,384 tokens, some 4 MB.
private struct VerifiedTokens {
  private static let generationSize = 8192

  private struct Key: Hashable {
    let digest: Digest

    init(_ digest: Digest) { self.digest = digest }

    static func == (left: Key, right: Key) -> Bool { left.digest.matches(right.digest) }

    /// The bytes of a SHA-256 are as good as random.
    func hash(into hasher: inout Hasher) {
      for index in 0..<8 { hasher.combine(digest.bytes[index]) }
    }
  }

  private var young: [Key: VerifiedToken] = [:]
  private var old: [Key: VerifiedToken] = [:]

  /// `nil` for one that is not known, or has expired.
  mutating func token(_ digest: Digest, at now: Timestamp) -> VerifiedToken? {
    let key = Key(digest)
    if let token = young[key] { return token.expires.milliseconds > now.milliseconds ? token : nil }
    guard let token = old[key], token.expires.milliseconds > now.milliseconds else { return nil }
    insert(token, digest)
    return token
  }

  mutating func insert(_ token: VerifiedToken, _ digest: Digest) {
    if young.count >= Self.generationSize { (young, old) = ([:], young) }
    young[Key(digest)] = token
  }
}

/// What a JWT must say to count, beside its signature.
package struct TokenRules: Sendable {
  /// `environment_id` must be this one.
  package var environment: String
  /// One of the words in `scope` must be this one; `nil`: not asked. Dynamic's sign-in is not complete without
  /// `user:basic`.
  package var scope: String?
  /// `aud` must be this one or hold it; `nil`: not asked.
  package var audience: String?

  package init(environment: String, scope: String? = "user:basic", audience: String? = nil) {
    self.environment = environment
    self.scope = scope
    self.audience = audience
  }

  /// How far the clocks of issuer and receiver may be apart.
  package static let skew: Int64 = 60_000

  /// RFC 7519 §4.1: times, then whose token it is. `exp` is rounded down to a second, as other readers do.
  func check(_ payload: TokenPayload, at now: Timestamp) throws(TokenRefusal) {
    let now = now.milliseconds
    // What is of another type than RFC 7519 §4.1 has it, other readers refuse.
    for name in [TokenPayload.Name.iss, .jti] {
      guard payload.withValue(of: name, { $0.withString { _ in true } ?? false }) ?? true else { throw .notGenuine }
    }
    guard payload.withValue(of: .aud, { $0.isAudience }) ?? true else { throw .notGenuine }
    // A time that is no number makes the token no token, whatever the time.
    guard let expires = payload.withValue(of: .exp, { NumericDate($0) }) ?? nil else { throw .notGenuine }
    for name in [TokenPayload.Name.nbf, .iat] {
      guard let time = payload.withValue(of: name, { NumericDate($0) }) else { continue }
      guard let time, time.milliseconds <= now + Self.skew else { throw .notGenuine }
    }
    guard payload.withValue(of: .environmentID, { $0.isText(environment) }) ?? false else { throw .notGenuine }
    if let audience {
      let expected = Array(audience.utf8)
      guard payload.withValue(of: .aud, { $0.isOrContains(expected) }) ?? false else { throw .notGenuine }
    }
    guard expires.second * 1000 + Self.skew > now else { throw .expired }
    if let scope {
      guard payload.withValue(of: .scope, { $0.hasWord(scope) }) ?? false else { throw .scope }
    }
  }
}

extension Span<UInt8> {
  fileprivate func isText(_ text: String) -> Bool { withString { $0.isEqual(to: text.utf8.span) } ?? false }

  /// Whether the value is a string with `word` among its words, as RFC 6749 §3.3 writes a scope.
  fileprivate func hasWord(_ word: String) -> Bool {
    let word = Array(word.utf8)
    return withString { text in
      var start = 0
      for index in 0...text.count where index == text.count || text[index] == 0x20 {
        if text.extracting(start..<index).isEqual(to: word.span) { return true }
        start = index + 1
      }
      return false
    } ?? false
  }
}

/// Why a JWT is not accepted when it is verified. Holds no byte of it.
package enum TokenRefusal: Error, Hashable {
  case unreadable(UnreadableToken)
  case expired
  /// The signature, the key's algorithm, the issuer's environment, the audience or a time is wrong.
  case notGenuine
  case scope
  /// No key of that `kid` is known, and nothing else is wrong. The key set may be older than the key.
  case unknownKey(UnknownKey)
}

/// A key that a token names and the key set at hand does not hold.
package struct UnknownKey: Hashable, Sendable {
  /// The UTF-8 bytes of `kid`.
  package let id: [UInt8]
  /// The token's `iat`: a key that signs was published before.
  package let issuedAt: NumericDate?
}
