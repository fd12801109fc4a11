/// A table whose rows are found by a random key.
enum IndexedTable: String, Sendable {
  case event
  case revocation

  /// The column that holds the key.
  var key: String {
    switch self {
    case .event: "key"
    case .revocation: "session"
    }
  }
}
