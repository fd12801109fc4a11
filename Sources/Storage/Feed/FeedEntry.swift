package import DynamicEvents

/// A revoked session or a cut-off, as those who keep a copy of the set need it.
package struct FeedEntry: Hashable, Sendable {
  package enum Subject: Hashable, Sendable {
    case session(SessionID, revokedAt: Timestamp)
    case cutOff(CutOff)
  }

  package var cursor: FeedCursor
  package var subject: Subject
  /// From when on the JWTs have expired by themselves, so that the entry may be forgotten. The subject may come again,
  /// with a later one.
  package var expiresAt: Timestamp

  package init(cursor: FeedCursor, subject: Subject, expiresAt: Timestamp) {
    self.cursor = cursor
    self.subject = subject
    self.expiresAt = expiresAt
  }
}

/// The entries that come next.
package struct FeedPage: Sendable {
  package var entries: [FeedEntry]
  /// Where the next page begins; beyond the last entry where what follows it has expired or is gone.
  package var end: Int64
  /// Nothing was there behind it.
  package var isLast: Bool
  /// How many numbers that were given out have no session any more, since it moved behind all others or was forgotten,
  /// or are a cut-off's. Never less in a later page.
  package var departures: Int64

  package init(entries: [FeedEntry], end: Int64, isLast: Bool, departures: Int64) {
    self.entries = entries
    self.end = end
    self.isLast = isLast
    self.departures = departures
  }
}
