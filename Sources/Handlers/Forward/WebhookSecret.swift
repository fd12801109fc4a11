internal import Foundation
internal import Signature

/// A secret as Standard Webhooks writes them: `whsec_` and the key in base64.
public struct WebhookSecret: Sendable {
  private static let prefix = "whsec_"

  /// The text and not the key, because `Secret` wipes what it holds.
  private let text: Secret

  /// Throws what is wrong with the text, without showing it. The key must have 16 bytes or more; the standard
  /// recommends 24 to 64.
  public init(_ text: String) throws(WebhookSecretError) {
    guard let key = Self.key(of: text) else { throw .form }
    guard key.count >= 16, let secret = try? Secret(text) else { throw .tooShort(bytes: key.count) }
    self.text = secret
  }

  /// `v1,` and the base64 of the HMAC over id, time and body.
  func signature(of id: String, at seconds: Int64, _ body: [UInt8]) throws -> String {
    let key = text.withBytes { bytes in Self.key(of: String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)) }
    let message = Array("\(id).\(seconds).".utf8) + body
    let code = try HMACSHA256(key: Array(key ?? Data()).span).code(for: message.span).bytes
    return "v1," + Data(code.indices.map { code[$0] }).base64EncodedString()
  }

  /// Without the prefix it is refused: the libraries of receivers decode it all the same, so that taking it for plain
  /// text would sign with another key than they.
  private static func key(of text: String) -> Data? {
    guard text.hasPrefix(prefix) else { return nil }
    let digits = text.dropFirst(prefix.count)
    let missing = (4 - digits.utf8.count % 4) % 4
    return Data(base64Encoded: String(digits) + String(repeating: "=", count: missing))
  }
}

/// Why a text cannot be a secret of Standard Webhooks. Holds sizes only, so it may be logged.
public enum WebhookSecretError: Error, Equatable, CustomStringConvertible {
  /// Not `whsec_` and base64.
  case form
  /// The key has fewer than 16 bytes.
  case tooShort(bytes: Int)

  public var description: String {
    switch self {
    case .form: "is not whsec_ and base64 behind it"
    case .tooShort(let bytes): "has a key of \(bytes) bytes; it needs at least 16"
    }
  }
}
