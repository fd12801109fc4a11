/// What decides whether the bearer of a JWT is revoked or cut off.
///
/// Which of its two session ids a revocation carries after a refresh is not documented, so both count.
package struct TokenClaims: Hashable, Sendable {
  package var sid: SessionID
  /// The session of the sign-in, once the JWT was refreshed.
  package var originalSid: SessionID?
  /// `sub`, if it is a UUID. Only such a user can be cut off.
  package var user: UUIDBytes?
  /// `environment_id`, if it is a UUID.
  package var environment: UUIDBytes?
  /// `iat`; `nil` if it is absent or no time.
  package var issuedAt: NumericDate?

  package init(
    sid: SessionID, originalSid: SessionID? = nil, user: UUIDBytes? = nil, environment: UUIDBytes? = nil,
    issuedAt: NumericDate? = nil
  ) {
    self.sid = sid
    self.originalSid = originalSid
    self.user = user
    self.environment = environment
    self.issuedAt = issuedAt
  }
}

/// A `NumericDate` of RFC 7519 §2, in milliseconds since 1970: a JSON number of seconds, with or without a fraction.
///
/// A number with an exponent, or of more than twelve digits before the point, is no time that an issuer writes.
package struct NumericDate: Hashable, Comparable, Sendable {
  package let milliseconds: Int64

  package init(milliseconds: Int64) {
    self.milliseconds = milliseconds
  }

  /// From the text of a JSON value. What lies below a millisecond is dropped towards the past.
  package init?(_ text: Span<UInt8>) {
    var index = 0
    let isNegative = text.count > 0 && text[0] == UInt8(ascii: "-")
    if isNegative { index = 1 }
    let start = index
    var seconds: Int64 = 0
    while index < text.count, let digit = text[index].decimalValue {
      guard index - start < 12 else { return nil }
      seconds = seconds * 10 + digit
      index += 1
    }
    guard index > start else { return nil }
    var fraction: Int64 = 0
    var isCut = false
    if index < text.count {
      guard text[index] == UInt8(ascii: ".") else { return nil }
      index += 1
      var place: Int64 = 100
      let first = index
      while index < text.count, let digit = text[index].decimalValue {
        if place == 0, digit != 0 { isCut = true }
        fraction += digit * place
        place /= 10
        index += 1
      }
      guard index > first, index == text.count else { return nil }
    }
    let value = seconds * 1000 + fraction
    milliseconds = isNegative ? -value - (isCut ? 1 : 0) : value
  }

  /// The second that the time lies in, since 1970.
  package var second: Int64 { (milliseconds - (milliseconds % 1000 + 1000) % 1000) / 1000 }

  package static func < (left: NumericDate, right: NumericDate) -> Bool { left.milliseconds < right.milliseconds }
}

extension UInt8 {
  fileprivate var decimalValue: Int64? {
    self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") ? Int64(self - UInt8(ascii: "0")) : nil
  }
}
