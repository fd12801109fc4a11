internal import Bytes
package import DynamicEvents

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
