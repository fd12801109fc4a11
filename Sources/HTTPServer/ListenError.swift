/// Why a listener could not be set up: one line for the person who starts the server.
public struct ListenError: Error, Sendable, CustomStringConvertible {
  public let description: String
  /// The system's error number, 0 when there is none.
  public let code: Int32

  init(_ what: String, _ code: Int32) {
    self.code = code
    description = "\(what): \(SystemCall.message(code))"
  }

  init(_ description: String) {
    self.code = 0
    self.description = description
  }
}
