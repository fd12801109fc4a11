package import DynamicEvents

/// What an operator should know of, though no call failed.
package enum StoreNotice: Sendable {
  /// An older version's store is migrated, which may take minutes. The schemas' numbers.
  case migrating(from: Int, to: Int)
  /// A backup was put in the store's place. It lacks what was received since `lastReceivedAt`; nil: nothing was ever
  /// received.
  case restored(lastReceivedAt: Timestamp?)
  /// The index is built anew from the rows. Until that is done, look-ups and appends fail.
  case rebuildingIndex(cause: String)
  case rebuiltIndex(rows: Int, duration: Duration)
  /// It is tried again in a moment.
  case rebuildFailed(StoreError)
  /// The write-ahead log is far larger than usual, because another process keeps an old state of the store open.
  case logCannotBeFolded(bytes: Int)
  /// That is over.
  case logIsFolded
  /// The database's commits wait for no second server, so that a failover may lose the last ones.
  case waitsForNoStandby
  /// They do again.
  case waitsForStandby
}
