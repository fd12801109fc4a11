internal import HTTPMessage

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
