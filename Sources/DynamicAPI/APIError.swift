/// Why a call of Dynamic's API did not do what it was asked for. It never holds the token.
package enum APIError: Error, Sendable, CustomStringConvertible {
  /// No response, or none that is whole.
  case unreachable(String, mayHaveArrived: Bool)
  /// The API is there and cannot now: 429 or 5xx, after several tries.
  case unavailable(status: Int, retryAfter: Duration?)
  /// The API does not do it: any other status.
  case rejected(status: Int, reason: String?)
  /// The status says that it was done, and the body is not what is documented.
  case unreadable(String)
  /// The task was cancelled.
  case cancelled

  package var description: String {
    switch self {
    case .unreachable(let text, _): "Dynamic's API is not reachable: \(text)"
    case .unavailable(429, _): "Dynamic's API limits how often it is called (429)"
    case .unavailable(let status, _): "Dynamic's API cannot answer now (\(status))"
    case .rejected(401, let reason): "Dynamic does not accept the API token (401)" + Self.quoted(reason)
    case .rejected(403, let reason):
      "the API token may not do this: a scope or the environment (403)" + Self.quoted(reason)
    case .rejected(404, let reason): "Dynamic's API does not know it (404)" + Self.quoted(reason)
    case .rejected(let status, let reason): "Dynamic's API refused the call (\(status))" + Self.quoted(reason)
    case .unreadable(let text): "Dynamic's API sent what cannot be used: \(text)"
    case .cancelled: "cancelled"
    }
  }

  private static func quoted(_ reason: String?) -> String { reason.map { ": \($0)" } ?? "" }

  /// What the body of an error says. `error` is a text in most of them and an object in some; a body may be no JSON at
  /// all.
  ///
  /// - Parameter token: is left out, should it be there.
  static func reason(in body: [UInt8], without token: String? = nil) -> String? {
    guard let body = JSONValue(body) else { return nil }
    let error = body["error"]
    let text = error?.string ?? error?["message"]?.string ?? error?["code"]?.string ?? body["message"]?.string
    guard var text, !text.isEmpty else { return nil }
    if let token { text = text.replacing(token, with: "(the token)") }
    // A peer's text, on its way to a terminal or a log.
    return String(decoding: text.utf8.prefix(200).map { (0x20...0x7E).contains($0) ? $0 : 0x3F }, as: UTF8.self)
  }
}
