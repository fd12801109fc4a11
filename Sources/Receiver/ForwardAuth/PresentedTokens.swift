internal import AccessTokens
internal import Bytes
internal import DynamicEvents
internal import HTTPMessage

/// What a forward-auth request presents. All of it is tested, so that adding something can only refuse more.
///
/// Nothing else in the request counts: proxies add `X-Forwarded-…`, and so can anybody.
struct PresentedTokens: Sendable {
  /// Something cannot be read without doubt, so the request is refused. The cause is for the log and holds no input.
  struct Unreadable: Error {
    let cause: String
  }

  /// `X-Session-Id`
  private(set) var session: SessionID?
  /// Where the JWTs lie in the head's bytes.
  private(set) var jwts: [Range<Int>] = []

  /// - Parameters:
  ///   - readsAuthorization: whether `Authorization` may carry a JWT, and not the private token.
  ///   - cookie: the cookie that may carry one.
  init(
    _ head: borrowing RequestHead, _ bytes: Span<UInt8>, readsAuthorization: Bool, cookie: TokenCookie?
  ) throws(Unreadable) {
    if let range = try Self.field("x-session-id", head, bytes) {
      guard let session = SessionID(bytes.extracting(range)) else {
        throw Unreadable(cause: "X-Session-Id is no session id")
      }
      self.session = session
    }
    if readsAuthorization, let range = try Self.field("authorization", head, bytes),
      let jwt = try Self.bearer(range, bytes)
    {
      jwts.append(jwt)
    }
    if let cookie, let range = try Self.field("cookie", head, bytes) {
      do throws(TokenCookie.Ambiguous) {
        if let value = try cookie.value(in: bytes.extracting(range)) {
          jwts.append(range.lowerBound + value.lowerBound..<range.lowerBound + value.upperBound)
        }
      } catch {
        throw Unreadable(cause: "another reader could find another token among the cookies")
      }
    }
  }

  private static func field(
    _ name: StaticString, _ head: borrowing RequestHead, _ bytes: Span<UInt8>
  ) throws(Unreadable) -> Range<Int>? {
    switch head.value(of: name, in: bytes) {
    case .absent: nil
    case .once(let range): range
    case .repeated: throw Unreadable(cause: "\(name) stands twice")
    }
  }

  /// `"Bearer" 1*SP token68` (RFC 6750 §2.1), the scheme in any case. nil: another scheme, which carries no JWT.
  ///
  /// A value that is not read here may be one that a more lenient backend reads: many take a JWT without a scheme, or
  /// behind any. So it is refused, whatever else is there.
  private static func bearer(_ range: Range<Int>, _ bytes: Span<UInt8>) throws(Unreadable) -> Range<Int>? {
    let value = bytes.extracting(range)
    guard value.count >= 6, value.extracting(0..<6).equals(ignoringCase: "bearer") else {
      if mayHoldJWT(value) { throw Unreadable(cause: "Authorization has a JWT, and not the scheme Bearer") }
      return nil
    }
    var start = 6
    while start < value.count, value[start] == 0x20 { start += 1 }
    guard start > 6 else { throw Unreadable(cause: "Authorization has a scheme that begins like Bearer") }
    return range.lowerBound + start..<range.upperBound
  }
  /// Whether a word in it begins as a JWT does, `eyJ` for `{"`, and has a dot. Neither Basic nor Digest has such words.
  private static func mayHoldJWT(_ value: Span<UInt8>) -> Bool {
    var isJWT = false
    var length = 0
    for index in value.indices {
      switch value[index] {
      case UInt8(ascii: "."):
        if isJWT { return true }
        length += 1
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
        length += 1
        if length == 3 { isJWT = value.extracting(index - 2..<index + 1).equals("eyJ") }
      default: (isJWT, length) = (false, 0)
      }
    }
    return false
  }
}
