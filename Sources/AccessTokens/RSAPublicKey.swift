internal import COpenSSL
internal import Signature

/// An RSA key that verifies signatures of `RS256` (RFC 7518 §3.3): at least 2,048 bits, as RFC 7518 demands.
///
/// Immutable once made; libcrypto counts references to it atomically, so loops may share it.
@safe package final class RSAPublicKey: @unchecked Sendable {
  /// In bits. The upper bound keeps one verification below a millisecond.
  static let sizes = 2048...8192
  /// Owned: `deinit` alone frees it, and nothing writes to it after `init`.
  fileprivate let key: OpaquePointer

  /// From the big-endian bytes of modulus and exponent. `nil`: no key that is fit for use.
  package init?(modulus: Span<UInt8>, exponent: Span<UInt8>) {
    guard Self.sizes.contains(modulus.bitCount), exponent.bitCount > 1, exponent.bitCount <= 32,
      exponent[exponent.count - 1] & 1 == 1, modulus[modulus.count - 1] & 1 == 1,
      let key = unsafe Self.key(modulus, exponent)
    else {
      ERR_clear_error()
      return nil
    }
    unsafe self.key = key
  }

  deinit {
    unsafe EVP_PKEY_free(key)
  }

  private static func key(_ modulus: Span<UInt8>, _ exponent: Span<UInt8>) -> OpaquePointer? {
    // Each of these accepts null when it frees, and every pointer is freed once, on all ways out.
    let n = unsafe number(modulus)
    defer { unsafe BN_free(n) }
    let e = unsafe number(exponent)
    defer { unsafe BN_free(e) }
    let builder = unsafe OSSL_PARAM_BLD_new()
    defer { unsafe OSSL_PARAM_BLD_free(builder) }
    guard unsafe n != nil, unsafe e != nil, unsafe builder != nil else { return nil }
    // The builder keeps the pointers to the names: given plain strings, both would be gone when it copies what they
    // name.
    return unsafe OSSL_PKEY_PARAM_RSA_N.withCString { nameOfN in
      unsafe OSSL_PKEY_PARAM_RSA_E.withCString { nameOfE in
        guard unsafe OSSL_PARAM_BLD_push_BN(builder, nameOfN, n) == 1,
          unsafe OSSL_PARAM_BLD_push_BN(builder, nameOfE, e) == 1
        else { return nil }
        let parameters = unsafe OSSL_PARAM_BLD_to_param(builder)
        defer { unsafe OSSL_PARAM_free(parameters) }
        return unsafe key(parameters)
      }
    }
  }

  private static func key(_ parameters: UnsafeMutablePointer<OSSL_PARAM>?) -> OpaquePointer? {
    let context = unsafe EVP_PKEY_CTX_new_from_name(nil, "RSA", nil)
    defer { unsafe EVP_PKEY_CTX_free(context) }
    var key: OpaquePointer?
    // What the macro EVP_PKEY_PUBLIC_KEY stands for, which Swift cannot import.
    let selection =
      OSSL_KEYMGMT_SELECT_PUBLIC_KEY | OSSL_KEYMGMT_SELECT_DOMAIN_PARAMETERS | OSSL_KEYMGMT_SELECT_OTHER_PARAMETERS
    guard unsafe parameters != nil, unsafe context != nil, unsafe EVP_PKEY_fromdata_init(context) == 1,
      unsafe EVP_PKEY_fromdata(context, &key, selection, parameters) == 1
    else { return nil }
    return unsafe key
  }

  private static func number(_ bytes: Span<UInt8>) -> OpaquePointer? {
    unsafe bytes.withUnsafeBufferPointer { bytes in
      // Valid for `count` bytes during the call; the sizes above keep `count` far below what an Int32 holds.
      unsafe BN_bin2bn(bytes.baseAddress, Int32(clamping: bytes.count), nil)
    }
  }
}

/// Verifies with one key. Not `Sendable`: libcrypto's context belongs to one loop.
@safe final class RS256 {
  /// Owned: `deinit` alone frees it. It holds a reference to the key.
  private let context: OpaquePointer

  init(_ key: RSAPublicKey) throws(OpenSSLFailure) {
    guard let context = unsafe EVP_PKEY_CTX_new_from_pkey(nil, key.key, nil) else {
      throw OpenSSLFailure("EVP_PKEY_CTX_new_from_pkey")
    }
    unsafe self.context = context
    guard unsafe EVP_PKEY_verify_init(context) == 1 else { throw OpenSSLFailure("EVP_PKEY_verify_init") }
    guard unsafe EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 else {
      throw OpenSSLFailure("EVP_PKEY_CTX_set_rsa_padding")
    }
    // One digest for the whole life of the context, which keeps it by a reference of its own.
    guard unsafe EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1 else {
      throw OpenSSLFailure("EVP_PKEY_CTX_set_signature_md")
    }
  }

  deinit {
    unsafe EVP_PKEY_CTX_free(context)
  }

  /// Whether `signature` was made for a message with this digest. A failure of libcrypto counts as "no".
  func isValid(_ signature: Span<UInt8>, of digest: Digest) -> Bool {
    // A context may verify any number of times once it is initialised.
    let isValid = unsafe signature.withUnsafeBufferPointer { signature in
      unsafe digest.bytes.span.withUnsafeBufferPointer { digest in
        // Both are valid for `count` bytes during the call.
        unsafe EVP_PKEY_verify(context, signature.baseAddress, signature.count, digest.baseAddress, digest.count) == 1
      }
    }
    if !isValid { ERR_clear_error() }
    return isValid
  }
}

extension Span<UInt8> {
  /// The bits of the big-endian number that the bytes make.
  fileprivate var bitCount: Int {
    var first = 0
    while first < count, self[first] == 0 { first += 1 }
    return first == count ? 0 : (count - first) * 8 - self[first].leadingZeroBitCount
  }
}
