/// Decides whether a body was signed with one of the secrets. Not `Sendable`: one per loop.
package final class SignatureVerifier {
  private let codes: [HMACSHA256]

  /// Without secrets nothing is valid.
  package init(secrets: [Secret]) throws(OpenSSLFailure) {
    var codes: [HMACSHA256] = []
    for secret in secrets { codes.append(try HMACSHA256(key: secret)) }
    self.codes = codes
  }

  /// `true` when the header's value is well formed and any of the secrets made it for exactly these bytes. A failure of
  /// libcrypto counts as "no": Dynamic delivers again.
  package func isValid(_ headerValue: Span<UInt8>, body: Span<UInt8>) -> Bool {
    guard let claimed = SignatureHeader.parse(headerValue) else { return false }
    for code in codes {
      if let computed = try? code.code(for: body), computed.matches(claimed) { return true }
    }
    return false
  }
}
