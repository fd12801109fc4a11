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
