package import DynamicEvents
internal import SQLite
internal import Synchronization

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
}

extension RevocationStore {
  /// The cursor of a caller who has read everything up to this number.
  package func cursor(at seq: Int64) -> FeedCursor {
    FeedCursor(epoch: feedEpochs.id(of: seq) ?? 0, seq: seq)
  }

  /// Whether a caller who has read up to this cursor can go on from there. If not, the store's history is another one
  /// since: it must read from the beginning. A caller who has read nothing can always go on.
  package func knows(_ cursor: FeedCursor) -> Bool {
    cursor.seq == 0
      || feedEpochs.id(of: cursor.seq) == cursor.epoch && cursor.seq <= lastRevocation.load(ordering: .acquiring)
  }

  /// Takes note of what another process may have committed.
  package func noteForeignCommits() throws(StoreError) {
    lastRevocation.max(try tally().lastRevocation, ordering: .releasing)
  }

  /// The entries behind a position, in the order of their numbers, as of one moment; `limit` bounds the rows that are
  /// looked at. What has expired is left out.
  ///
  /// A caller that goes on at `end` until `isLast` has every session that was revoked at the last call: a row only ever
  /// moves behind all others, when its expiry grows, and so cannot slip from what is still to come into what is past.
  package func feed(after position: Int64, limit: Int, at now: Timestamp) throws(StoreError) -> FeedPage {
    try checkFiles()
    let page = try read { db in
      let tally = try Tally.fetch(db)
      // As the pruner has it, so that nothing is left out that look-ups still refuse.
      let now = tally.believable(now)
      var page = FeedPage(
        entries: [], end: position, isLast: false, departures: tally.lastRevocation &- Int64(tally.revocations))
      page.entries.reserveCapacity(min(limit, 1024))
      var looks = 0
      try db.walk(
        """
        SELECT seq, session, revoked_at, remember_from, NULL, NULL FROM revocation WHERE seq > ?1
        UNION ALL
        SELECT seq, NULL, before, expires_at, kind, id FROM cutoff WHERE seq > ?1
        ORDER BY seq LIMIT ?2
        """, position, limit
      ) { row in
        looks += 1
        page.end = try row.integer(0)
        let until = try Timestamp(milliseconds: row.integer(3))
        let expiresAt = row.isNull(4) ? retention.expiresAt(rememberedFrom: until, at: now) : until
        guard expiresAt >= now else { return true }
        guard let epoch = feedEpochs.id(of: page.end), let subject = try FeedEntry.Subject(row) else {
          throw SQLiteError.corrupt("an entry's subject or number is malformed")
        }
        page.entries.append(
          FeedEntry(cursor: FeedCursor(epoch: epoch, seq: page.end), subject: subject, expiresAt: expiresAt))
        return true
      }
      page.isLast = looks < limit
      // Past numbers that were pruned or moved: there is nothing to come back for.
      if page.isLast { page.end = max(page.end, tally.lastRevocation) }
      return page
    }
    // What the caller comes back with must be known by then, though it may be another process's.
    lastRevocation.max(page.end, ordering: .releasing)
    return page
  }
}

extension FeedEntry.Subject {
  /// From a row of the feed's query; nil if it is malformed.
  fileprivate init?(_ row: borrowing Row) throws {
    let time = try Timestamp(milliseconds: row.integer(2))
    guard let kind = try row.textIfAny(4) else {
      guard let session = try SessionID(bytes: row.blob(1)) else { return nil }
      self = .session(session, revokedAt: time)
      return
    }
    guard let kind = CutOff.Kind(rawValue: kind), let id = row.lend(5, { UUIDBytes(uuid: $0) }) ?? nil else {
      return nil
    }
    self = .cutOff(CutOff(kind, id, before: time))
  }
}
