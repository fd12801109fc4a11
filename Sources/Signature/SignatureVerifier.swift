internal import Bytes

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

/// The header field that carries a delivery's signature (DynamicProtocol.md).
package enum SignatureHeader {
  /// The field's name in lower case. `x-dynamic-signature`, without `-256`, belongs to another product.
  package static let name: StaticString = "x-dynamic-signature-256"
  static let prefix = "sha256="

  /// Takes `sha256=` and exactly 64 lower-case hexadecimal digits. Anything else is `nil`: other case, white space, a
  /// list. Dynamic sends one form, and a second accepted form would be a second thing to get right.
  package static func parse(_ value: Span<UInt8>) -> Digest? {
    guard value.count == 71 else { return nil }
    var position = 0
    for byte in prefix.utf8 {
      guard value[position] == byte else { return nil }
      position += 1
    }
    var bytes = InlineArray<32, UInt8>(repeating: 0)
    var seen: UInt8 = 0
    for index in bytes.indices {
      let high = Hexadecimal.lowerCaseNibble(value[position])
      let low = Hexadecimal.lowerCaseNibble(value[position + 1])
      seen |= high | low
      bytes[index] = high << 4 | low
      position += 2
    }
    return seen < 16 ? Digest(bytes: bytes) : nil
  }

  /// The field's value for a digest: the inverse of `parse`.
  package static func value(for digest: Digest) -> String { prefix + digest.hex }
}
