internal import Bytes
internal import COpenSSL

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

/// HMAC-SHA256 (RFC 2104, RFC 6234) keyed once and re-initialised for each message: a third of the cost of keying each
/// time. Not `Sendable`: libcrypto's context is one message's state. Make one per secret and loop.
@safe package final class HMACSHA256 {
  // Owned: `deinit` alone frees it, and libcrypto wipes the key in it then.
  private let context: OpaquePointer

  package convenience init(key: Secret) throws(OpenSSLFailure) {
    try self.init()
    try key.withBytes { bytes throws(OpenSSLFailure) in try setKey(bytes) }
  }

  /// An empty key is refused: libcrypto would take it for "keep the key you have".
  package convenience init(key: Span<UInt8>) throws(OpenSSLFailure) {
    try self.init()
    try setKey(key)
  }

  private init() throws(OpenSSLFailure) {
    // A null library context is the default one; the strings are literals.
    guard let algorithm = unsafe EVP_MAC_fetch(nil, "HMAC", nil) else { throw OpenSSLFailure("EVP_MAC_fetch") }
    // The context holds a reference of its own.
    defer { unsafe EVP_MAC_free(algorithm) }
    guard let context = unsafe EVP_MAC_CTX_new(algorithm) else { throw OpenSSLFailure("EVP_MAC_CTX_new") }
    unsafe self.context = context
  }

  deinit {
    unsafe EVP_MAC_CTX_free(context)
  }

  /// The code of one whole message. Throws rather than return a digest that was not computed to the end.
  package func code(for message: Span<UInt8>) throws(OpenSSLFailure) -> Digest {
    // A null key means: start over with the key of `init`.
    guard unsafe EVP_MAC_init(context, nil, 0, nil) == 1 else { throw OpenSSLFailure("EVP_MAC_init") }
    let updated = unsafe message.withUnsafeBufferPointer { bytes in
      // Valid for `count` bytes during the closure; libcrypto takes null for an empty one.
      unsafe EVP_MAC_update(context, bytes.baseAddress, bytes.count) == 1
    }
    guard updated else { throw OpenSSLFailure("EVP_MAC_update") }
    var code = InlineArray<32, UInt8>(repeating: 0)
    var written = 0
    var span = code.mutableSpan
    let finished = unsafe span.withUnsafeMutableBufferPointer { bytes in
      // Writes at most `bytes.count` bytes.
      unsafe EVP_MAC_final(context, bytes.baseAddress, &written, bytes.count) == 1
    }
    guard finished, written == 32 else { throw OpenSSLFailure("EVP_MAC_final") }
    return Digest(bytes: code)
  }

  private func setKey(_ key: Span<UInt8>) throws(OpenSSLFailure) {
    // A parameter keeps its two pointers: given plain strings, both would be gone before `EVP_MAC_init` reads them.
    let keyed = unsafe OSSL_MAC_PARAM_DIGEST.withCString { name in
      unsafe "SHA256".withCString { digest in
        unsafe key.withUnsafeBufferPointer { key in
          // Mutable only by its type: libcrypto reads it, and measures it because of the 0.
          let parameters = unsafe [
            OSSL_PARAM_construct_utf8_string(name, UnsafeMutablePointer(mutating: digest), 0),
            OSSL_PARAM_construct_end(),
          ]
          // Strings, key and array all outlive the call.
          return unsafe EVP_MAC_init(context, key.baseAddress, key.count, parameters) == 1
        }
      }
    }
    guard !key.isEmpty, keyed else { throw OpenSSLFailure("EVP_MAC_init") }
  }
}

/// SHA-256 (FIPS 180-4) of bytes that lie in one piece.
package enum SHA256 {
  package static func digest(of message: Span<UInt8>) throws(OpenSSLFailure) -> Digest {
    var digest = InlineArray<32, UInt8>(repeating: 0)
    var written = 0
    var span = digest.mutableSpan
    let finished = unsafe span.withUnsafeMutableBufferPointer { output in
      unsafe message.withUnsafeBufferPointer { input in
        // `output` has the 32 bytes that SHA-256 writes; `input` is valid for `count` bytes.
        unsafe EVP_Q_digest(nil, "SHA256", nil, input.baseAddress, input.count, output.baseAddress, &written) == 1
      }
    }
    guard finished, written == 32 else { throw OpenSSLFailure("EVP_Q_digest") }
    return Digest(bytes: digest)
  }
}

/// A libcrypto call that failed: no memory, or no provider for the algorithm. The caller must refuse.
package struct OpenSSLFailure: Error, CustomStringConvertible {
  /// The libcrypto function.
  package let call: StaticString
  /// The last entry of the thread's error queue, as `openssl errstr` takes it; 0 when the queue was empty.
  package let code: UInt

  /// Empties the thread's error queue, so that a later failure does not report this one's code.
  package init(_ call: StaticString) {
    self.call = call
    code = UInt(ERR_peek_last_error())
    ERR_clear_error()
  }

  package var description: String { "\(call) failed (OpenSSL error \(String(code, radix: 16)))" }
}

/// The 32 bytes of a SHA-256 or of an HMAC-SHA256.
///
/// Not `Equatable` on purpose: `matches` is the only comparison, and it takes constant time.
package struct Digest: Sendable {
  package let bytes: InlineArray<32, UInt8>

  package init(bytes: InlineArray<32, UInt8>) {
    self.bytes = bytes
  }

  /// Constant-time equality over all 32 bytes.
  package func matches(_ other: Digest) -> Bool {
    bytes.span.equalsInConstantTime(other.bytes.span)
  }

  /// 64 lower-case hexadecimal digits.
  package var hex: String {
    var text: [UInt8] = []
    text.reserveCapacity(64)
    for index in bytes.indices {
      text.append(Hexadecimal.digit(bytes[index] >> 4))
      text.append(Hexadecimal.digit(bytes[index] & 15))
    }
    return String(decoding: text, as: UTF8.self)
  }
}

extension Span<UInt8> {
  /// Equality whose time depends on the lengths alone.
  func equalsInConstantTime(_ other: Span<UInt8>) -> Bool {
    guard count == other.count else { return false }
    return unsafe withUnsafeBufferPointer { left in
      unsafe other.withUnsafeBufferPointer { right in
        // Both buffers are valid for `count` bytes during the closures.
        unsafe CRYPTO_memcmp(left.baseAddress, right.baseAddress, left.count) == 0
      }
    }
  }
}
