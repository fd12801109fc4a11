internal import HTTPMessage

/// Why the private listener answers 401 or 503: the value of `X-Revoked-Reason`, and a label of the metrics. Callers rely on these words.
enum RefusalReason: String, MetricLabel {
  case revoked
  /// The request presents no session.
  case noSession = "no-session"
  /// The request presents a session that cannot be read, or the same field twice.
  case unreadable
  /// The private token is missing or wrong.
  case token
  /// The answer is not known: the store cannot be read, or the server is overloaded or stopping.
  case unfit

  /// The header field that carries the reason.
  var field: (StaticString, String) { ("X-Revoked-Reason", rawValue) }
}
