internal import Bytes
internal import DynamicEvents

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
