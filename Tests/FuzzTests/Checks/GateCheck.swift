import AccessTokens
import DynamicEvents
import Foundation

/// What must hold of the readers of cookies, JWTs and key sets, whatever they are given.
enum GateCheck: CaseIterable {
  case cookie, token, payload, keySet

  /// Returns what is wrong.
  func violation(_ input: [UInt8]) -> String? {
    switch self {
    case .cookie: Self.cookieViolation(input)
    case .token: Self.tokenViolation(input)
    case .payload:
      Self.tokenViolation(Array("e30.\(Self.base64URL(input)).c2ln".utf8)) ?? Self.payloadViolation(input)
    case .keySet: Self.keySetViolation(input)
    }
  }

  // MARK: Cookies

  static let name = "DYNAMIC_JWT_TOKEN"

  /// A value that is found must be the only one that any of these readers finds; where none is found, none of them may
  /// find one.
  private static func cookieViolation(_ field: [UInt8]) -> String? {
    guard let cookie = TokenCookie(name: name) else { return "the name is none" }
    var found: [UInt8]?
    do {
      found = try cookie.value(in: field.span).map { Array(field[$0]) }
    } catch {
      return nil
    }
    let strict = values(field, split: ";", isSame: { $0 == Array(name.utf8) })
    guard strict == (found.map { [$0] } ?? []) else { return "another reader of RFC 6265 finds \(strict.count)" }
    // A value that is no JWT is refused by the next reader.
    if let found, !found.allSatisfy({ $0 == UInt8(ascii: ".") || isBase64URL($0) }) { return nil }
    let lenient: [(String, [[UInt8]])] = [
      ("case", values(field, split: ";") { folded($0) == folded(Array(name.utf8)) }),
      ("comma", values(field, split: ";,") { $0 == Array(name.utf8) }),
      ("white space", values(field, split: "; \t") { $0 == Array(name.utf8) }),
      ("PHP", values(field, split: ";") { replaced(decoded($0)) == Array(name.utf8) }),
      ("decoding", values(field, split: ";,") { decoded($0) == Array(name.utf8) }),
    ]
    for (reader, values) in lenient where !values.allSatisfy({ $0 == found || $0.isEmpty }) {
      return "a reader that differs in \(reader) finds another value"
    }
    return nil
  }

  private static func isBase64URL(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  /// The values of the pairs with the name, with a reader that splits at these bytes.
  private static func values(_ field: [UInt8], split: String, isSame: ([UInt8]) -> Bool) -> [[UInt8]] {
    field.split(omittingEmptySubsequences: true) { split.utf8.contains($0) }.compactMap { pair in
      guard let equals = pair.firstIndex(of: UInt8(ascii: "=")), isSame(trimmed(pair[..<equals])) else { return nil }
      return trimmed(pair[(equals + 1)...])
    }
  }

  private static func trimmed(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    let isSpace = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
    var rest = bytes.drop(while: isSpace)
    while let last = rest.last, isSpace(last) { rest.removeLast() }
    return Array(rest)
  }

  private static func folded(_ bytes: [UInt8]) -> [UInt8] {
    bytes.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
  }

  private static func replaced(_ bytes: [UInt8]) -> [UInt8] {
    bytes.map { [UInt8(ascii: "."), 0x20, UInt8(ascii: "[")].contains($0) ? UInt8(ascii: "_") : $0 }
  }

  private static func decoded(_ bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var index = 0
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
        let byte = UInt8(String(decoding: bytes[index + 1...index + 2], as: UTF8.self), radix: 16),
        bytes[index + 1] != UInt8(ascii: "+"), bytes[index + 1] != UInt8(ascii: "-")
      {
        result.append(byte)
        index += 3
      } else {
        result.append(bytes[index])
        index += 1
      }
    }
    return result
  }

  // MARK: JWTs

  /// What is read of a JWT, Foundation reads as well.
  private static func tokenViolation(_ jwt: [UInt8]) -> String? {
    let claims: TokenClaims
    do {
      claims = try TokenClaims(unverified: jwt.span)
    } catch {
      return nil
    }
    let parts = String(decoding: jwt, as: UTF8.self).split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 3, let payload = data(base64URL: parts[1]) else { return "Foundation finds no payload" }
    guard let object = try? JSONSerialization.jsonObject(with: payload) as? [String: Any] else {
      return hasSurrogate(payload) ? nil : "Foundation finds no object in the payload"
    }
    func isSame(_ name: String, _ ours: String?) -> Bool {
      guard let theirs = object[name] as? String else { return ours == nil }
      return ours == theirs.lowercased()
    }
    guard isSame("sid", claims.sid.description) else { return "sid is another one" }
    guard isSame("originalSid", claims.originalSid?.description) else { return "originalSid is another one" }
    if let user = claims.user, !isSame("sub", user.uuidText) { return "sub is another one" }
    if let environment = claims.environment, !isSame("environment_id", environment.uuidText) {
      return "environment_id is another one"
    }
    if let issuedAt = claims.issuedAt {
      guard let theirs = object["iat"] as? NSNumber,
        abs(theirs.doubleValue - Double(issuedAt.milliseconds) / 1000) < 0.01
      else { return "iat is another one" }
    }
    return nil
  }

  /// As the body of a request the same claims are read.
  private static func payloadViolation(_ payload: [UInt8]) -> String? {
    let direct = try? TokenClaims(payload: payload.span)
    let encoded = try? TokenClaims(unverified: Array("e30.\(base64URL(payload)).c2ln".utf8).span)
    return direct == encoded ? nil : "the claims depend on how they come"
  }

  /// Foundation refuses surrogates without their other half, which RFC 8259 leaves open.
  private static func hasSurrogate(_ text: Data) -> Bool {
    String(decoding: text, as: UTF8.self).contains(/\\u[dD][89abcdefABCDEF]/)
  }

  private static func data(base64URL text: Substring) -> Data? {
    let standard = text.replacing("-", with: "+").replacing("_", with: "/")
    return Data(base64Encoded: standard + String(repeating: "=", count: (4 - standard.count % 4) % 4))
  }

  private static func base64URL(_ bytes: [UInt8]) -> String {
    Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
  }

  // MARK: Key sets

  /// Each key that is taken stands in the set, as an RSA key with that `kid`.
  private static func keySetViolation(_ text: [UInt8]) -> String? {
    guard let set = try? KeySet(text.span) else { return nil }
    guard let object = try? JSONSerialization.jsonObject(with: Data(text)) as? [String: Any],
      let keys = object["keys"] as? [Any]
    else { return hasSurrogate(Data(text)) ? nil : "Foundation finds no keys" }
    let known = keys.compactMap { $0 as? [String: Any] }.filter { $0["kty"] as? String == "RSA" }
      .compactMap { $0["kid"] as? String }
    let missing = set.keyIDs.filter { !known.contains($0) }
    return missing.isEmpty ? nil : "Foundation finds no key of that name"
  }
}
