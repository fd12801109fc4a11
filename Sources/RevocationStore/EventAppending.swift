/// What the inbox needs of a store.
package protocol EventAppending: Sendable {
  /// Proves that a commit reaches the disk now, by really making one.
  func probeWritable() throws(StoreError)
  /// Stores a batch in one transaction. Answers one outcome per event, in order; when it throws, nothing is stored.
  func append(_ batch: [IncomingEvent]) throws(StoreError) -> [AppendOutcome]
}
