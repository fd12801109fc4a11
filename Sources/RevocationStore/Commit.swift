/// What one successful commit was like, for the metrics.
package struct Commit: Sendable {
  /// Deliveries in it, duplicates included.
  package var events: Int
  package var duration: Duration
}
