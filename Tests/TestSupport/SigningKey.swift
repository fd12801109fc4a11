internal import COpenSSL
internal import Foundation

/// A key pair as an issuer's, made anew: its JWKs, and JWTs signed with it.
@safe package final class SigningKey: @unchecked Sendable {
  package struct Failure: Error {}

  package enum Kind: Sendable, Hashable { case rsa(bits: Int), p256 }

  package let id: String
  private let kind: Kind
  /// Owned: `deinit` alone frees it, and nothing writes to it after `init`.
  private let key: OpaquePointer

  package init(_ id: String, _ kind: Kind = .rsa(bits: 2048)) throws {
    self.id = id
    self.kind = kind
    let name = kind == .p256 ? "EC" : "RSA"
    let context = unsafe EVP_PKEY_CTX_new_from_name(nil, name, nil)
    defer { unsafe EVP_PKEY_CTX_free(context) }
    guard unsafe EVP_PKEY_keygen_init(context) == 1 else { throw Failure() }
    switch kind {
    case .rsa(let bits):
      guard unsafe EVP_PKEY_CTX_set_rsa_keygen_bits(context, Int32(bits)) == 1 else { throw Failure() }
    case .p256:
      guard unsafe EVP_PKEY_CTX_set_group_name(context, "P-256") == 1 else { throw Failure() }
    }
    var key: OpaquePointer?
    guard unsafe EVP_PKEY_generate(context, &key) == 1, let key = unsafe key else { throw Failure() }
    unsafe self.key = key
  }

  deinit {
    unsafe EVP_PKEY_free(key)
  }

  /// The public half as a JSON Web Key. `extra`: further members, with a comma before each.
  package func jwk(id: String? = nil, extra: String = #","use":"sig","alg":"RS256""#) throws -> String {
    let id = id ?? self.id
    switch kind {
    case .rsa:
      let n = try Self.base64URL(number(OSSL_PKEY_PARAM_RSA_N))
      let e = try Self.base64URL(number(OSSL_PKEY_PARAM_RSA_E))
      return #"{"kty":"RSA","kid":"\#(id)","n":"\#(n)","e":"\#(e)"\#(extra)}"#
    case .p256:
      let x = try Self.base64URL(number(OSSL_PKEY_PARAM_EC_PUB_X))
      let y = try Self.base64URL(number(OSSL_PKEY_PARAM_EC_PUB_Y))
      return #"{"kty":"EC","crv":"P-256","kid":"\#(id)","x":"\#(x)","y":"\#(y)"}"#
    }
  }

  /// The public half as PEM.
  package var pem: String {
    get throws {
      var bytes: UnsafeMutablePointer<UInt8>?
      let count = unsafe Int(i2d_PUBKEY(key, &bytes))
      guard count > 0, let bytes = unsafe bytes else { throw Failure() }
      defer { unsafe CRYPTO_free(bytes, #fileID, #line) }
      let text = unsafe Data(bytes: bytes, count: count).base64EncodedString(options: [
        .lineLength64Characters, .endLineWithLineFeed,
      ])
      return "-----BEGIN PUBLIC KEY-----\n\(text)\n-----END PUBLIC KEY-----\n"
    }
  }

  package static func keySet(_ keys: SigningKey...) throws -> String {
    #"{"keys":[\#(try keys.map { try $0.jwk() }.joined(separator: ","))]}"#
  }

  /// The compact form of a JWT with this payload. `header`: another one than Dynamic's.
  package func jwt(_ payload: String, header: String? = nil) throws -> String {
    try jwt(encodedPayload: Self.base64URL(Array(payload.utf8)), header: header)
  }

  package func jwt(encodedPayload: String, header: String? = nil) throws -> String {
    let header = Self.base64URL(Array((header ?? #"{"alg":"RS256","kid":"\#(id)","typ":"JWT"}"#).utf8))
    let signed = "\(header).\(encodedPayload)"
    return try "\(signed).\(Self.base64URL(sign(Array(signed.utf8))))"
  }

  package func sign(_ message: [UInt8]) throws -> [UInt8] {
    let context = unsafe EVP_MD_CTX_new()
    defer { unsafe EVP_MD_CTX_free(context) }
    guard unsafe EVP_DigestSignInit(context, nil, EVP_sha256(), nil, key) == 1 else { throw Failure() }
    var count = 1024
    var signature = [UInt8](repeating: 0, count: count)
    guard unsafe EVP_DigestSign(context, &signature, &count, message, message.count) == 1 else { throw Failure() }
    return Array(signature[..<count])
  }

  package static func base64URL(_ bytes: [UInt8]) -> String {
    Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
  }

  private func number(_ name: String) throws -> [UInt8] {
    var number: OpaquePointer?
    guard unsafe EVP_PKEY_get_bn_param(key, name, &number) == 1 else { throw Failure() }
    defer { unsafe BN_free(number) }
    var bytes = [UInt8](repeating: 0, count: Int(unsafe BN_num_bits(number) + 7) / 8)
    guard unsafe Int(BN_bn2bin(number, &bytes)) == bytes.count else { throw Failure() }
    return bytes
  }
}
