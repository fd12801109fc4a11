internal import Bytes
package import DynamicEvents

/// The decoded payload of a JWT: the claims, and where those lie that only a verification asks for.
package struct TokenPayload {
  /// The claims that are read. Each name stands in the payload once at most.
  package enum Name: Int, CaseIterable {
    case sid, originalSid, sub, environmentID, iat, exp, nbf, aud, scope, iss, jti
  }

  package let claims: TokenClaims
  /// The JSON text.
  package let text: [UInt8]
  private let places: Places

  /// `encoded`: the part between the dots.
  package init(_ encoded: Span<UInt8>) throws(UnreadableToken) {
    guard let text = Base64URL.decode(encoded) else { throw .notBase64URL }
    places = try Places(text.span)
    claims = try places.claims(text.span)
    self.text = text
  }

  /// Lends the JSON text of a claim's value; `nil` if the claim is absent.
  package func withValue<Result>(of name: Name, _ use: (Span<UInt8>) -> Result) -> Result? {
    places[name].map { use(text.span.extracting($0)) }
  }
}

extension TokenClaims {
  /// Reads a JWT without verifying it, which is up to the application that accepts it: a change to it gains nothing
  /// here. Whatever leaves a doubt which session or whose it is, is an error: it cannot be shown that such a session is
  /// not revoked.
  package init(unverified jwt: Span<UInt8>) throws(UnreadableToken) {
    let parts = try CompactJWT(jwt)
    guard Base64URL.isAlphabet(jwt.extracting(parts.header)), Base64URL.isAlphabet(jwt.extracting(parts.signature))
    else { throw .notBase64URL }
    self = try TokenPayload(jwt.extracting(parts.payload)).claims
  }

  /// Reads the JSON text of a payload.
  package init(payload text: Span<UInt8>) throws(UnreadableToken) {
    self = try Places(text).claims(text)
  }
}

/// Where the values lie in a payload's text.
private struct Places {
  private(set) var isObject = false
  private(set) var hasRepetition = false
  private var ranges = InlineArray<11, Range<Int>?>(repeating: nil)

  subscript(name: TokenPayload.Name) -> Range<Int>? { ranges[name.rawValue] }

  init(_ text: Span<UInt8>) throws(UnreadableToken) {
    do throws(JSONError) {
      try read(text)
    } catch {
      throw .notJSON(error)
    }
    guard isObject else { throw .notAnObject }
    guard !hasRepetition else { throw .repeated }
  }

  private mutating func read(_ text: Span<UInt8>) throws(JSONError) {
    var reader = JSONReader()
    isObject = try reader.enterObject(in: text)
    if isObject {
      while let key = try reader.nextKey(in: text) {
        if let name = key.withValue(in: text, Self.name) {
          hasRepetition = hasRepetition || ranges[name.rawValue] != nil
          ranges[name.rawValue] = try reader.value(in: text)
        } else {
          try reader.skipValue(in: text)
        }
      }
    } else {
      try reader.skipValue(in: text)
    }
    try reader.finish(text)
  }

  func claims(_ text: Span<UInt8>) throws(UnreadableToken) -> TokenClaims {
    guard let place = self[.sid], let sid = text.extracting(place).withString({ SessionID($0) }) ?? nil else {
      throw .noSessionID
    }
    var claims = TokenClaims(sid: sid)
    if let place = self[.originalSid], !text.extracting(place).isNull {
      guard let id = text.extracting(place).withString({ SessionID($0) }) ?? nil else { throw .noOriginalSessionID }
      claims.originalSid = id
    }
    claims.user = try uuid(.sub, text)
    claims.environment = try uuid(.environmentID, text)
    claims.issuedAt = self[.iat].flatMap { NumericDate(text.extracting($0)) }
    return claims
  }

  private func uuid(_ name: TokenPayload.Name, _ text: Span<UInt8>) throws(UnreadableToken) -> UUIDBytes? {
    guard let place = self[name], !text.extracting(place).isNull else { return nil }
    guard let id = text.extracting(place).withString({ UUIDBytes(uuid: $0) }) else { throw .notAString }
    return id
  }

  /// Most names are told apart by their length.
  private static func name(_ key: Span<UInt8>) -> TokenPayload.Name? {
    switch key.count {
    case 3:
      if key.equals("sid") { return .sid }
      if key.equals("sub") { return .sub }
      if key.equals("iat") { return .iat }
      if key.equals("exp") { return .exp }
      if key.equals("aud") { return .aud }
      if key.equals("iss") { return .iss }
      if key.equals("jti") { return .jti }
      return key.equals("nbf") ? .nbf : nil
    case 5: return key.equals("scope") ? .scope : nil
    case 11: return key.equals("originalSid") ? .originalSid : nil
    case 14: return key.equals("environment_id") ? .environmentID : nil
    default: return nil
    }
  }
}

/// The text of one JSON value that a reader has passed, so that it is known to be valid.
extension Span<UInt8> {
  /// Whether every reader of JSON can be expected to take the text: RFC 8259 §9 lets them limit depth and numbers, and
  /// Python's stops at 4,300 digits and at about a thousand containers within each other.
  var isWithinUsualLimits: Bool {
    var (depth, digits) = (0, 0)
    var (isInString, isEscaped) = (false, false)
    for index in 0..<count {
      let byte = self[index]
      if isInString {
        isInString = isEscaped || byte != UInt8(ascii: "\"")
        isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
        continue
      }
      digits = byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") ? digits + 1 : 0
      switch byte {
      case UInt8(ascii: "\""): isInString = true
      case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
      case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
      default: break
      }
      if depth > 64 || digits > 1000 { return false }
    }
    return true
  }

  var isNull: Bool { count == 4 && self[0] == UInt8(ascii: "n") }

  /// Lends the UTF-8 bytes of the string; `nil` if the value is none.
  func withString<Result>(_ use: (Span<UInt8>) -> Result) -> Result? {
    var reader = JSONReader()
    guard let string = try? reader.string(in: self) else { return nil }
    return string.withValue(in: self) { use($0) }
  }

  /// Whether the value is a string or a list of strings, as RFC 7519 §4.1.3 has it.
  var isAudience: Bool { strings { _ in } }

  /// Whether the value is the string, or a list of strings with it among them.
  func isOrContains(_ expected: [UInt8]) -> Bool {
    var contains = false
    let areStrings = strings { if $0.isEqual(to: expected.span) { contains = true } }
    return areStrings && contains
  }

  /// Lends the string, or each one of the list. `false`: the value is something else, or holds it.
  private func strings(_ use: (Span<UInt8>) -> Void) -> Bool {
    var reader = JSONReader()
    do {
      guard try reader.enterArray(in: self) else { return withString(use) != nil }
      while try reader.nextElement(in: self) {
        guard let element = try reader.string(in: self) else { return false }
        element.withValue(in: self, use)
      }
      return true
    } catch {
      return false
    }
  }
}
