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
