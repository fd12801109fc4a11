package import DynamicEvents

/// What one node at a time does for all.
package protocol StoreMaintenance: Sendable {
  /// Takes one step of a pass. Returns where the next one begins; nil at the pass's end, and where the pass is another
  /// node's.
  ///
  /// Sessions go at their expiry. Events go once nobody needs them: neither the deduplication, nor one of the
  /// `handlers` (by name; those that are configured), nor somebody who looks at dead letters. What a handler that is no
  /// longer configured has not delivered keeps no event, but what it gave up does.
  func prune(_ step: PruneStep, at now: Timestamp, handlers: [String]) throws(StoreError) -> PruneStep?

  /// Takes a duty for so long, or has it for longer. Returns whether this node has it.
  func take(_ duty: SharedDuty, for time: Duration) throws(StoreError) -> Bool

  /// Lets another node take it at once.
  func leave(_ duty: SharedDuty) throws(StoreError)
}

/// What would be wasted, or go wrong, if two nodes did it at once.
package enum SharedDuty: String, Hashable, Sendable, CaseIterable {
  case pruning
  /// Fetching from Dynamic's API what its webhook could not deliver.
  case catchUp = "catch-up"
}

/// Where a pass over what may be forgotten stands. A pass goes through the tables in the order of their numbers, a few
/// rows a step; no index on a time is kept for it, since that would cost ingest and a pass costs it nothing.
package enum PruneStep: Hashable, Sendable {
  case revocations(after: Int64)
  case cutOffs(after: Int64)
  case events(after: Int64)

  package static let first = PruneStep.revocations(after: 0)

  /// Numbers that one step looks through, without holding up the writer: about a millisecond.
  package static let looks = 4096
  /// Rows that one step deletes: a transaction no longer than one of ingest.
  package static let deletes = 128
}
