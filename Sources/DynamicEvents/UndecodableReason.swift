/// Why a body that was signed cannot be used. Holds no byte of the input, so it may be logged and stored.
public enum UndecodableReason: Error, Hashable, CustomStringConvertible {
  /// The body is not JSON.
  case notJSON(JSONError)
  /// The body is JSON, but not an object.
  case notAnObject
  /// `eventName` is absent or not a string.
  case noEventName
  /// A session was revoked, but `data.id` does not say which: absent, not a string, or not of a session id's form.
  case noSessionID

  public var description: String {
    switch self {
    case .notJSON(let error): "the body is not JSON: \(error)"
    case .notAnObject: "the body is not a JSON object"
    case .noEventName: "the body has no eventName"
    case .noSessionID: "the event of a revoked session has no valid data.id"
    }
  }
}
