package import DynamicEvents

extension TokenClaims {
  /// Reads a JWT without verifying it: whoever accepts the JWT does that, so a change to it gains nothing here. Whatever
  /// leaves a doubt which session or whose it is, is an error: it cannot be shown that such a session is not revoked.
  package init(unverified jwt: Span<UInt8>) throws(UnreadableToken) {
    let parts = try CompactJWT(jwt)
    guard Base64URL.isAlphabet(jwt.extracting(parts.header)), Base64URL.isAlphabet(jwt.extracting(parts.signature))
    else { throw .notBase64URL }
    self = try TokenPayload(jwt.extracting(parts.payload)).claims
  }
}
