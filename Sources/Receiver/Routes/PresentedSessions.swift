internal import DynamicEvents
internal import HTTPMessage

/// The sessions that a forward-auth request names. All of them are tested, so that adding one can only refuse more.
///
/// Nothing else in the request counts: proxies add `X-Forwarded-…`, and so can anybody.
enum PresentedSessions {
  case these([SessionID])
  case none
  /// One of them cannot be read, so the request is refused. The cause is for the log and holds no input.
  case unreadable(String)

  init(_ head: borrowing RequestHead, _ bytes: Span<UInt8>, readsAuthorization: Bool) {
    var sessions: [SessionID] = []
    switch head.value(of: "x-session-id", in: bytes) {
    case .absent: break
    case .repeated:
      self = .unreadable("X-Session-Id stands twice")
      return
    case .once(let range):
      guard let session = SessionID(bytes.extracting(range)) else {
        self = .unreadable("X-Session-Id is no session id")
        return
      }
      sessions.append(session)
    }
    if readsAuthorization {
      switch head.value(of: "authorization", in: bytes) {
      case .absent: break
      case .repeated:
        self = .unreadable("Authorization stands twice")
        return
      case .once(let range):
        // A Bearer value that we cannot read may be one that a more lenient backend can: it is refused, whatever X-Session-Id says.
        do throws(UnusableJWT) {
          if let claims = try Self.claims(bytes.extracting(range)) {
            sessions.append(claims.sid)
            if let original = claims.originalSid { sessions.append(original) }
          }
        } catch {
          self = .unreadable(error.description)
          return
        }
      }
    }
    self = sessions.isEmpty ? .none : .these(sessions)
  }

  /// `"Bearer" 1*SP token68` (RFC 6750 §2.1), the scheme in any case. nil: another scheme, which carries no JWT of Dynamic's.
  private static func claims(_ value: Span<UInt8>) throws(UnusableJWT) -> SessionClaims? {
    guard value.count >= 6, value.extracting(0..<6).equals(ignoringCase: "bearer") else { return nil }
    var start = 6
    while start < value.count, value[start] == 0x20 { start += 1 }
    guard start > 6 else { throw .notThreeParts }
    return try SessionClaims(jwt: value.extracting(start..<value.count))
  }
}
