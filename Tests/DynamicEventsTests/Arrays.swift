@testable import DynamicEvents

// `#expect` cannot take apart an expression that holds a `Span`, so the tests pass arrays and strings.

extension JSONReader {
  static func validate(_ bytes: [UInt8]) throws(JSONError) { try validate(bytes.span) }
}

extension EventOutline {
  init(_ text: String) throws(UndecodableReason) { try self.init(Array(text.utf8)) }
  init(_ bytes: [UInt8]) throws(UndecodableReason) { try self.init(bytes.span) }

  /// The key of an event, in hexadecimal.
  static func key(_ text: String) throws -> String {
    let body = Array(text.utf8)
    return try EventOutline(body.span).key(in: body.span).hex
  }
}

extension EventKey {
  var hex: String {
    bytes.map { byte in String(byte >> 4, radix: 16) + String(byte & 15, radix: 16) }.joined()
  }
}

extension JSONString {
  func text(of text: String) -> String { self.text(in: Array(text.utf8).span) }
}

extension SessionID {
  init?(_ bytes: [UInt8]) { self.init(bytes.span) }
}

extension Event {
  init(_ text: String) throws(UndecodableReason) { try self.init(body: Array(text.utf8)) }

  var session: Session? {
    guard case .sessionRevoked(let session, _) = payload else { return nil }
    return session
  }
}
