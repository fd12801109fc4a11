package import DynamicEvents

/// The feed, for those who keep a copy of the set of revoked sessions.
package protocol FeedReading: Sendable {
  /// The newest number of the feed that this process knows to be committed, at the cost of a load.
  var lastRevocation: Int64 { get }

  /// The cursor of a caller who has read everything up to this number.
  func cursor(at seq: Int64) -> FeedCursor

  /// Whether a caller who has read up to this cursor can go on from there. If not, the store's history is another one
  /// since: it must read from the beginning. A caller who has read nothing can always go on.
  func knows(_ cursor: FeedCursor) -> Bool

  /// The entries behind a position, in the order of their numbers, as of one moment; `limit` bounds the rows that are
  /// looked at. What has expired is left out.
  ///
  /// A caller that goes on at `end` until `isLast` has every session that was revoked at the last call: a row only ever
  /// moves behind all others, when its expiry grows, and so cannot slip from what is still to come into what is past.
  func feed(after position: Int64, limit: Int, at now: Timestamp) throws(StoreError) -> FeedPage

  /// Calls `changed` when another process may have committed something, with `lastRevocation` as new as that: on a
  /// queue of its own, at most once at a time. Must be brief.
  func observeChanges(_ changed: @escaping @Sendable () -> Void) throws(StoreError) -> any ChangeObservation
}

package protocol ChangeObservation: Sendable {
  /// No call begins from now on.
  func cancel()
}
