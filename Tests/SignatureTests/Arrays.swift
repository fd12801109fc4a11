@testable import Signature

// `#expect` cannot take apart an expression that holds a `Span`, so the tests pass arrays.

extension HMACSHA256 {
  static func hex(key: [UInt8], message: [UInt8]) throws -> String {
    try HMACSHA256(key: key.span).code(for: message.span).hex
  }

  func hex(for message: [UInt8]) throws -> String { try code(for: message.span).hex }
}

extension SignatureHeader {
  static func parse(_ value: String) -> Digest? { parse(Array(value.utf8)) }
  static func parse(_ value: [UInt8]) -> Digest? { parse(value.span) }
}

extension SignatureVerifier {
  func isValid(_ value: String, body: [UInt8]) -> Bool { isValid(Array(value.utf8).span, body: body.span) }
}
