internal import Bytes
internal import HTTPMessage
internal import Signature

/// Whether a request may use the private listener, and what that leaves for `Authorization` to say.
enum PrivateAccess {
  case refused
  /// `byAuthorization`: that field is our token, hence no user's JWT.
  case granted(byAuthorization: Bool)

  /// Authorization may carry the user's JWT, so the token has a field of its own as well.
  init(_ head: borrowing RequestHead, _ bytes: Span<UInt8>, token: Secret?) {
    guard let token else {
      self = .granted(byAuthorization: false)
      return
    }
    if case .once(let range) = head.value(of: "x-revoked-token", in: bytes) {
      self = token.matches(bytes.extracting(range)) ? .granted(byAuthorization: false) : .refused
      return
    }
    guard case .once(let range) = head.value(of: "authorization", in: bytes), range.count > 7 else {
      self = .refused
      return
    }
    let value = bytes.extracting(range)
    let isToken =
      value.extracting(0..<7).equals(ignoringCase: "bearer ") && token.matches(value.extracting(7..<value.count))
    self = isToken ? .granted(byAuthorization: true) : .refused
  }
}
