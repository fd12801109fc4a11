/// What became of one delivery. In every case it is durable, and may be answered with 200.
package enum AppendOutcome: Hashable, Sendable {
  case accepted
  /// The event is stored already.
  case duplicate
  /// Stored as a dead letter, now or before.
  case undecodable
}
