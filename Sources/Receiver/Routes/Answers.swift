internal import DynamicEvents
internal import Foundation
internal import HTTPMessage

/// The answers that never change, encoded once.
enum Answers {
  static let accepted = Response(.ok, body: #"{"status":"accepted"}"#)
  static let duplicate = Response(.ok, body: #"{"status":"duplicate"}"#)
  static let undecodable = Response(.ok, body: #"{"status":"undecodable"}"#)
  static let ignored = Response(.ok, body: #"{"status":"ignored"}"#)
  static let unverified = Response(.ok, body: #"{"status":"unverified"}"#)
  static let pong = Response(.ok, body: #"{"status":"pong"}"#)
  static let healthy = Response(.ok, contentType: "text/plain", body: "ok")
  static let index = Response(
    .ok, contentType: "text/plain",
    body:
      """
      revoked \(Receiver.version)

      GET /v1/sessions/{id}
      POST /v1/sessions/check
      POST /v1/tokens/check
      GET /v1/forward-auth
      GET /v1/revocations
      POST /v1/revocations
      GET /v1/status
      GET /v1/history
      GET /v1/events
      GET /v1/events/{seq}
      GET /v1/dead-letters
      POST /v1/dead-letters/replay
      POST /v1/dead-letters/discard
      GET /readyz
      GET /livez
      GET /metrics
      GET /page/{file}

      """
  )
  static let notFound = Response(problem: .notFound)
  /// No detail: an answer that explains helps a guesser.
  static let forged = Response(problem: .unauthorized, fields: [("WWW-Authenticate", "Dynamic-Signature")])
  /// Dynamic retries after 15 s; by then a full queue has long been written.
  static let unavailable = Response(problem: .serviceUnavailable, fields: [retryAfter])
  static let postOnly = Response(problem: .methodNotAllowed, fields: [("Allow", "POST")])
  static let getOnly = Response(problem: .methodNotAllowed, fields: [("Allow", "GET, HEAD")])
  /// Of the health paths. HAProxy asks with OPTIONS unless it is told otherwise.
  static let healthOnly = Response(problem: .methodNotAllowed, fields: [("Allow", "GET, HEAD, OPTIONS")])
  static let getOrPost = Response(problem: .methodNotAllowed, fields: [("Allow", "GET, HEAD, POST")])
  static let ordersForbidden = Response(
    problem: .forbidden, detail: "orders are taken only where a private token is configured")
  static let tokenMissing = Response(problem: .unauthorized, fields: [tokenChallenge, RefusalReason.token.field])
  /// The private listener's 503.
  static let unfit = Response(problem: .serviceUnavailable, fields: [retryAfter, RefusalReason.unfit.field])
  /// - Parameter detail: our own words.
  static func unfit(_ detail: String) -> Response {
    Response(problem: .serviceUnavailable, detail: detail, fields: [retryAfter, RefusalReason.unfit.field])
  }
  static let unknownCursor = Response(
    problem: .gone, detail: "the cursor belongs to a history of the store that is no more: start again without after")
  static let malformedID = Response(problem: .badRequest, detail: "a session id is a UUID of 36 characters")

  // Forward-auth. Without content: nginx does not read the content of such an answer, and gives up its connection for
  // it.

  static let notRevoked = Response(.ok)
  /// 401, with the reason.
  static func refused(_ reason: RefusalReason) -> Response { refusals[reason] ?? forwardAuthUnfit }
  private static let refusals = Dictionary(
    uniqueKeysWithValues: RefusalReason.allCases.map { ($0, invalidToken($0)) })
  static let forwardAuthTokenMissing = Response(.unauthorized, fields: [tokenChallenge, RefusalReason.token.field])
  static let forwardAuthUnfit = Response(.serviceUnavailable, fields: [retryAfter, RefusalReason.unfit.field])

  /// RFC 6750 §3.1.
  private static func invalidToken(_ reason: RefusalReason) -> Response {
    Response(.unauthorized, fields: [("WWW-Authenticate", #"Bearer error="invalid_token""#), reason.field])
  }

  private static let tokenChallenge: (StaticString, String) = ("WWW-Authenticate", #"Bearer realm="revoked""#)
  private static let retryAfter: (StaticString, String) = ("Retry-After", "5")
}

extension JSONEncoder {
  /// As the commands print it: the keys in the order of the alphabet.
  static var ofAnswers: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return encoder
  }
}

/// Why the private listener answers 401 or 503: the value of `X-Revoked-Reason`, and a label of the metrics. Callers
/// rely on these words.
enum RefusalReason: String, MetricLabel {
  case revoked
  /// The token was issued before its user or its environment was cut off.
  case cutOff = "cut-off"
  /// The request presents no session.
  case noSession = "no-session"
  /// The request presents a session that cannot be read, or the same field twice.
  case unreadable
  case expired
  /// The token is not one of the environment's: its signature, its key, its issuer, its audience or one of its times.
  case notGenuine = "not-genuine"
  /// The token lacks the scope.
  case scope
  /// The private token is missing or wrong.
  case token
  /// The answer is not known: the store cannot be read, or the server is overloaded or stopping.
  case unfit

  /// The header field that carries the reason.
  var field: (StaticString, String) { ("X-Revoked-Reason", rawValue) }
}

/// The field line that tells a caller when Dynamic was last heard of, so that quiet can be told from broken. Made once
/// per time, not per answer.
struct LastEventField: Sendable {
  private var time: Timestamp?
  private var line: [UInt8] = []

  mutating func line(for time: Timestamp) -> [UInt8] {
    if time == self.time { return line }
    self.time = time
    line = []
    line.append(contentsOf: "X-Revoked-Last-Event: ")
    time.append(to: &line)
    line.append(contentsOf: "\r\n")
    return line
  }
}
