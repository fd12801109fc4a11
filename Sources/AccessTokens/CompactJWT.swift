internal import Bytes
package import DynamicEvents

/// The three parts of a JWT in the compact form, `header.payload.signature` (RFC 7515 §7.1), found but not decoded.
///
/// The caller bounds its length; the work is linear.
package struct CompactJWT {
  package let header: Range<Int>
  package let payload: Range<Int>
  package let signature: Range<Int>
  /// What is signed: header, dot and payload.
  package var signed: Range<Int> { header.lowerBound..<payload.upperBound }

  /// A JWT without a signature is good for nothing, and five parts are an encrypted one, which cannot be looked into.
  package init(_ text: Span<UInt8>) throws(UnreadableToken) {
    let dot = UInt8(ascii: ".")
    let first = text.firstIndex(of: dot, from: 0)
    let second = text.firstIndex(of: dot, from: min(first + 1, text.count))
    guard first > 0, second + 1 < text.count, text.firstIndex(of: dot, from: second + 1) == text.count else {
      throw .notThreeParts
    }
    header = 0..<first
    payload = first + 1..<second
    signature = second + 1..<text.count
  }
}

/// Why a token cannot be read without doubt. Holds no byte of it, so it may be logged.
package enum UnreadableToken: Error, Hashable, CustomStringConvertible {
  case notThreeParts
  case notBase64URL
  case notJSON(JSONError)
  case notAnObject
  /// A claim or parameter that decides stands twice: another reader may take the other one.
  case repeated
  /// `sid` is absent, or no session id.
  case noSessionID
  /// `originalSid` is there, and no session id.
  case noOriginalSessionID
  /// `sub` or `environment_id` is there, and no string.
  case notAString

  package var description: String {
    switch self {
    case .notThreeParts: "the JWT has not three parts"
    case .notBase64URL: "the JWT is not base64url"
    case .notJSON(let error): "the JWT is not JSON: \(error)"
    case .notAnObject: "the JWT's header or payload is not an object"
    case .repeated: "a claim stands twice in the JWT"
    case .noSessionID: "the JWT has no valid sid"
    case .noOriginalSessionID: "the JWT's originalSid is no session id"
    case .notAString: "the JWT's sub or environment_id is no string"
    }
  }
}

/// The parameters of a JWS header (RFC 7515 §4) that decide how it is verified.
///
/// The key comes from the environment's key set alone: `jwk`, `jku`, `x5u` and `x5c`, by which a token would bring its
/// own, are never used. They must be of their types all the same, since other readers refuse the token otherwise.
struct TokenHeader {
  enum Fault: Error {
    case unreadable(UnreadableToken)
    /// It asks for what is not done here: another algorithm, an extension that must be understood (RFC 7515 §4.1.11),
    /// an unencoded payload (RFC 7797).
    case unsupported
  }

  /// The UTF-8 bytes of `kid`.
  let keyID: [UInt8]

  /// `encoded`: the part before the first dot.
  init(_ encoded: Span<UInt8>) throws(Fault) {
    guard let text = Base64URL.decode(encoded) else { throw .unreadable(.notBase64URL) }
    var reading = Reading()
    do throws(JSONError) {
      try reading.read(text.span)
    } catch {
      throw .unreadable(.notJSON(error))
    }
    guard reading.isObject else { throw .unreadable(.notAnObject) }
    guard !reading.hasRepetition else { throw .unreadable(.repeated) }
    guard text.span.isWithinUsualLimits, reading.isRS256, !reading.isUnsupported, let keyID = reading.keyID else {
      throw .unsupported
    }
    self.keyID = keyID
  }

  private enum Parameter: Int, CaseIterable {
    case alg, kid, typ, cty, jku, x5u, x5t, x5tS256, jwk, x5c, crit, b64, zip

    init?(_ key: Span<UInt8>) {
      guard let parameter = Self.allCases.first(where: { key.equals($0.name) }) else { return nil }
      self = parameter
    }

    private var name: StaticString {
      switch self {
      case .alg: "alg"
      case .kid: "kid"
      case .typ: "typ"
      case .cty: "cty"
      case .jku: "jku"
      case .x5u: "x5u"
      case .x5t: "x5t"
      case .x5tS256: "x5t#S256"
      case .jwk: "jwk"
      case .x5c: "x5c"
      case .crit: "crit"
      case .b64: "b64"
      case .zip: "zip"
      }
    }

    /// The byte that a value of the right type begins with; `nil`: the parameter is refused, whatever its value.
    var firstByte: UInt8? {
      switch self {
      case .alg, .kid, .typ, .cty, .jku, .x5u, .x5t, .x5tS256: UInt8(ascii: "\"")
      case .jwk: UInt8(ascii: "{")
      case .x5c: UInt8(ascii: "[")
      case .crit, .b64, .zip: nil
      }
    }
  }

  private struct Reading {
    private(set) var isObject = false
    private(set) var hasRepetition = false
    private(set) var isUnsupported = false
    private(set) var isRS256 = false
    private(set) var keyID: [UInt8]?
    /// One bit for each parameter.
    private var seen: UInt16 = 0

    mutating func read(_ text: Span<UInt8>) throws(JSONError) {
      var reader = JSONReader()
      isObject = try reader.enterObject(in: text)
      if isObject {
        while let key = try reader.nextKey(in: text) {
          let parameter = key.withValue(in: text) { Parameter($0) }
          let value = text.extracting(try reader.value(in: text))
          if let parameter { take(parameter, value) }
        }
      } else {
        try reader.skipValue(in: text)
      }
      try reader.finish(text)
    }

    private mutating func take(_ parameter: Parameter, _ value: Span<UInt8>) {
      hasRepetition = hasRepetition || seen & 1 << parameter.rawValue != 0
      seen |= 1 << parameter.rawValue
      guard value[0] == parameter.firstByte else {
        isUnsupported = true
        return
      }
      switch parameter {
      case .alg: isRS256 = value.withString { $0.equals("RS256") } ?? false
      case .kid: keyID = value.withString { id in id.indices.map { id[$0] } }
      default: break
      }
    }
  }
}
