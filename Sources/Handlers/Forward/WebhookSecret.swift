internal import Foundation
internal import Signature
internal import Synchronization

/// A secret as Standard Webhooks writes them: `whsec_` and the key in base64.
public struct WebhookSecret: Sendable {
  private static let prefix = "whsec_"

  private let key: SigningKey

  /// Throws what is wrong with the text, without showing it. The key must have 16 bytes or more; the standard
  /// recommends 24 to 64. What is copied of it is wiped; the text itself belongs to the caller.
  public init(_ text: String) throws(WebhookSecretError) {
    // Without the prefix it is refused: the libraries of receivers decode it all the same, so that taking it for plain
    // text would sign with another key than they.
    guard text.hasPrefix(Self.prefix) else { throw .form }
    let digits = text.utf8.dropFirst(Self.prefix.utf8.count)
    // With room for all, so that it never moves and leaves a copy behind.
    var padded = Data(capacity: digits.count + 3)
    padded.append(contentsOf: digits)
    padded.append(contentsOf: repeatElement(UInt8(ascii: "="), count: (4 - digits.count % 4) % 4))
    defer { padded.wipe() }
    guard var key = Data(base64Encoded: padded) else { throw .form }
    defer { key.wipe() }
    guard key.count >= 16 else { throw .tooShort(bytes: key.count) }
    self.key = try SigningKey(key.span)
  }

  /// `v1,` and the base64 of the HMAC over id, time and body.
  func signature(of id: String, at seconds: Int64, _ body: [UInt8]) throws -> String {
    let code = try key.code(for: Array("\(id).\(seconds).".utf8) + body).bytes
    return "v1," + Data(code.indices.map { code[$0] }).base64EncodedString()
  }
}

extension Data {
  fileprivate mutating func wipe() {
    var bytes = mutableSpan
    bytes.wipe()
  }
}

/// A key, decoded and given to libcrypto once, for all deliveries. libcrypto wipes it when it is let go of.
private final class SigningKey: Sendable {
  private let code: Mutex<HMACSHA256>

  init(_ key: Span<UInt8>) throws(WebhookSecretError) {
    do throws(OpenSSLFailure) {
      code = Mutex(try HMACSHA256(key: key))
    } catch {
      throw .unusable("\(error)")
    }
  }

  func code(for message: [UInt8]) throws(OpenSSLFailure) -> Digest {
    try code.withLock { (code) throws(OpenSSLFailure) in try code.code(for: message.span) }
  }
}

/// Why a text cannot be a secret of Standard Webhooks. Holds sizes only, so it may be logged.
public enum WebhookSecretError: Error, Equatable, CustomStringConvertible {
  /// Not `whsec_` and base64.
  case form
  /// The key has fewer than 16 bytes.
  case tooShort(bytes: Int)
  /// libcrypto did not take the key.
  case unusable(String)

  public var description: String {
    switch self {
    case .form: "is not whsec_ and base64 behind it"
    case .tooShort(let bytes): "has a key of \(bytes) bytes; it needs at least 16"
    case .unusable(let reason): "cannot be used: \(reason)"
    }
  }
}
