/// A status code of RFC 9110 §15, with its reason phrase.
package struct Status: Sendable, Hashable {
  package let code: UInt16
  package let reason: StaticString

  package static func == (left: Status, right: Status) -> Bool { left.code == right.code }
  package func hash(into hasher: inout Hasher) { hasher.combine(code) }

  package static let ok = Status(code: 200, reason: "OK")
  package static let badRequest = Status(code: 400, reason: "Bad Request")
  package static let unauthorized = Status(code: 401, reason: "Unauthorized")
  package static let forbidden = Status(code: 403, reason: "Forbidden")
  package static let notFound = Status(code: 404, reason: "Not Found")
  package static let methodNotAllowed = Status(code: 405, reason: "Method Not Allowed")
  package static let requestTimeout = Status(code: 408, reason: "Request Timeout")
  package static let gone = Status(code: 410, reason: "Gone")
  package static let contentTooLarge = Status(code: 413, reason: "Content Too Large")
  package static let uriTooLong = Status(code: 414, reason: "URI Too Long")
  package static let expectationFailed = Status(code: 417, reason: "Expectation Failed")
  package static let headerFieldsTooLarge = Status(code: 431, reason: "Request Header Fields Too Large")
  package static let notImplemented = Status(code: 501, reason: "Not Implemented")
  package static let serviceUnavailable = Status(code: 503, reason: "Service Unavailable")
  package static let versionNotSupported = Status(code: 505, reason: "HTTP Version Not Supported")
}

/// Why a request is refused before anyone looks at what it asks for. The connection closes after the answer, since
/// where the next request would begin can no longer be trusted.
package struct RequestError: Error, Sendable, Equatable {
  package let status: Status
  /// A fixed sentence for the answer's `detail`; never holds input.
  package let detail: String

  init(_ status: Status, _ detail: String) {
    self.status = status
    self.detail = detail
  }

  static func bad(_ detail: String) -> RequestError { RequestError(.badRequest, detail) }
}

extension RequestError {
  /// Head or body did not arrive before its deadline.
  package static let timeout = RequestError(.requestTimeout, "the request did not arrive in time")
  package static let contentTooLarge = RequestError(
    .contentTooLarge, "the request's content is larger than the server accepts")
}
