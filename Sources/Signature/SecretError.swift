/// Why a text cannot be a secret. Holds sizes only, so it may be logged.
public enum SecretError: Error, Equatable, CustomStringConvertible {
  /// The text is empty.
  case empty
  /// The text has fewer UTF-8 bytes than asked for.
  case tooShort(bytes: Int, minimum: Int)

  public var description: String {
    switch self {
    case .empty: "the secret is empty"
    case .tooShort(let bytes, let minimum): "the secret has \(bytes) bytes, at least \(minimum) are needed"
    }
  }
}
