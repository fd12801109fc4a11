/// How a log line is written.
enum LogFormat: String, Sendable {
  /// For people: `2026-11-23T15:04:05.123Z info  message key=value`.
  case text
  /// For machines: one JSON object a line.
  case json
}
