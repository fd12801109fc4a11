/// Why a receiver could not start: one line for the person who starts it.
public enum ReceiverError: Error, Sendable, CustomStringConvertible {
  /// Something that a changed configuration mends.
  case configuration(String)
  /// The folder, the disk or the store in it.
  case store(String)
  /// An address that cannot be listened on.
  case listener(String)

  public var description: String {
    switch self {
    case .configuration(let reason), .store(let reason), .listener(let reason): reason
    }
  }
}
