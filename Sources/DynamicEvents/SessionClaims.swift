/// What the JWT of a session says of its session. Decoded, **not verified**: what accepts the JWT verifies it. One that was
/// tampered with fails there, so that here it gains nothing.
///
/// Which of its ids a revocation carries after a refresh is not documented, so both count. Whatever leaves a doubt
/// which they are is an error: a session that nobody can name cannot be shown to be unrevoked.
package struct SessionClaims: Hashable, Sendable {
  package let sid: SessionID
  /// Of the sign-in, once the JWT was refreshed.
  package let originalSid: SessionID?

  /// Reads a JWT in the compact form: `header.payload.signature` (RFC 7519 §3). The caller bounds its length; the work
  /// is linear.
  package init(jwt: Span<UInt8>) throws(UnusableJWT) {
    guard let payload = try Self.payload(of: jwt) else { throw .notBase64URL }
    var reading = Reading()
    do throws(JSONError) {
      try reading.read(payload.span)
    } catch {
      throw .notJSON(error)
    }
    guard reading.isObject else { throw .notAnObject }
    guard !reading.isAmbiguous else { throw .repeatedClaim }
    guard case .id(let sid) = reading.sid else { throw .noSessionID }
    self.sid = sid
    switch reading.originalSid {
    case .absent: originalSid = nil
    case .id(let id): originalSid = id
    case .unusable: throw .noOriginalSessionID
    }
  }

  private static func payload(of jwt: Span<UInt8>) throws(UnusableJWT) -> [UInt8]? {
    let dot = UInt8(ascii: ".")
    let first = jwt.firstIndex(of: dot, from: 0)
    let second = jwt.firstIndex(of: dot, from: min(first + 1, jwt.count))
    // Without a signature it is good for nothing, and five parts are an encrypted JWT, which nobody could look into.
    guard first > 0, second + 1 < jwt.count, jwt.firstIndex(of: dot, from: second + 1) == jwt.count else {
      throw .notThreeParts
    }
    guard Base64URL.isAlphabet(jwt.extracting(0..<first)),
      Base64URL.isAlphabet(jwt.extracting(second + 1..<jwt.count))
    else { return nil }
    return Base64URL.decode(jwt.extracting(first + 1..<second))
  }
}

/// Why a JWT names no session. Holds no byte of it, so it may be logged.
package enum UnusableJWT: Error, Hashable, CustomStringConvertible {
  case notThreeParts
  case notBase64URL
  case notJSON(JSONError)
  case notAnObject
  /// `sid` or `originalSid` stands twice: another reader may take the other one.
  case repeatedClaim
  /// `sid` is absent, or no session id.
  case noSessionID
  /// `originalSid` is there, and no session id.
  case noOriginalSessionID

  package var description: String {
    switch self {
    case .notThreeParts: "the JWT has not three parts"
    case .notBase64URL: "the JWT is not base64url"
    case .notJSON(let error): "the JWT's payload is not JSON: \(error)"
    case .notAnObject: "the JWT's payload is not an object"
    case .repeatedClaim: "a session id stands twice in the JWT"
    case .noSessionID: "the JWT has no valid sid"
    case .noOriginalSessionID: "the JWT's originalSid is no session id"
    }
  }
}

/// The one walk over the claims.
private struct Reading {
  enum Claim {
    case absent
    case id(SessionID)
    case unusable
  }

  var isObject = false
  var isAmbiguous = false
  var sid = Claim.absent
  var originalSid = Claim.absent

  mutating func read(_ text: Span<UInt8>) throws(JSONError) {
    var reader = JSONReader()
    isObject = try reader.enterObject(in: text)
    var met: (sid: Bool, originalSid: Bool) = (false, false)
    if isObject {
      while let key = try reader.nextKey(in: text) {
        switch key.withValue(in: text, { $0.equals("sid") ? 1 : $0.equals("originalSid") ? 2 : 0 }) {
        case 1:
          if met.sid { isAmbiguous = true }
          met.sid = true
          sid = try Self.claim(&reader, text)
        case 2:
          if met.originalSid { isAmbiguous = true }
          met.originalSid = true
          originalSid = try Self.claim(&reader, text)
        default: try reader.skipValue(in: text)
        }
      }
    } else {
      try reader.skipValue(in: text)
    }
    try reader.finish(text)
  }

  /// null is absent.
  private static func claim(_ reader: inout JSONReader, _ text: Span<UInt8>) throws(JSONError) -> Claim {
    if try reader.null(in: text) { return .absent }
    guard let string = try reader.string(in: text) else { return .unusable }
    return string.withValue(in: text) { value in SessionID(value).map(Claim.id) } ?? .unusable
  }
}
