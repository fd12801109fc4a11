internal import Storage

/// Why a receiver could not start or answer: one line for the person who runs it.
public enum ReceiverError: Error, Sendable, CustomStringConvertible {
  /// Something that a changed configuration mends.
  case configuration(String)
  /// The folder, the disk or the store in it.
  case store(String)
  /// The database that the store is in does not answer.
  case unreachable(String)
  /// An address that cannot be listened on.
  case listener(String)
  /// A cursor of a history of the store that is no more, since a backup was restored: read from the beginning.
  case unknownCursor

  public var description: String {
    switch self {
    case .configuration(let reason), .store(let reason), .unreachable(let reason), .listener(let reason): reason
    case .unknownCursor: "the cursor belongs to another history of the store: read from the beginning"
    }
  }
}

extension ReceiverError {
  init(_ error: StoreError) {
    switch error {
    case .misconfigured: self = .configuration(error.description)
    case .unreachable: self = .unreachable(error.description)
    default: self = .store(error.description)
    }
  }
}
