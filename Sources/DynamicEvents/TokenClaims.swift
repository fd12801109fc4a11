/// What decides whether the bearer of a JWT is revoked or cut off.
///
/// Which of its two session ids a revocation carries after a refresh is not documented, so both count.
package struct TokenClaims: Hashable, Sendable {
  package var sid: SessionID
  /// The session of the sign-in, once the JWT was refreshed.
  package var originalSid: SessionID?
  /// `sub`, if it is a UUID. Nobody else can be cut off.
  package var user: SixteenBytes?
  /// `environment_id`, if it is a UUID.
  package var environment: SixteenBytes?
  /// `iat`; `nil` if it is absent or no time.
  package var issuedAt: NumericDate?

  package init(
    sid: SessionID, originalSid: SessionID? = nil, user: SixteenBytes? = nil, environment: SixteenBytes? = nil,
    issuedAt: NumericDate? = nil
  ) {
    self.sid = sid
    self.originalSid = originalSid
    self.user = user
    self.environment = environment
    self.issuedAt = issuedAt
  }
}
