package import DynamicEvents

/// A revoked session, as those who keep a copy of the set need it.
package struct FeedEntry: Hashable, Sendable {
  package var cursor: FeedCursor
  package var session: SessionID
  package var revokedAt: Timestamp
  /// From when on the session's JWTs have expired by themselves, so that the entry may be forgotten. The session may come again, with a later one.
  package var expiresAt: Timestamp
}

/// The entries that come next.
package struct FeedPage: Sendable {
  package var entries: [FeedEntry]
  /// Where the next page begins; beyond the last entry where what follows it has expired or is gone.
  package var end: Int64
  /// Nothing was there behind it.
  package var isLast: Bool
}
