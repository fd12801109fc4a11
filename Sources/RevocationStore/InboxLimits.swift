/// How much may wait to be stored, and how much one commit takes.
package struct InboxLimits: Sendable {
  /// Events waiting or being written beyond which no more are taken. At 10,000 a second and more this is about a second of work, well inside the time
  /// that Dynamic waits for an answer; who comes later is better off with a 503 at once.
  package var events = 16_384
  /// Bytes of their bodies, which may be 256 KiB each: a bound on memory.
  package var bytes = 64 << 20
  /// Events in a transaction. The sync it saves is spread over enough of them long before; more would only have the
  /// first wait for the last.
  package var transaction = 512

  package init() {}
}
