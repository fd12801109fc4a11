package import DynamicEvents
internal import SQLite
package import Storage
internal import Synchronization

extension RevocationStore {
  package var lastRevocation: Int64 { newestRevocation.load(ordering: .acquiring) }

  package func cursor(at seq: Int64) -> FeedCursor {
    FeedCursor(epoch: feedEpochs.id(of: seq) ?? 0, seq: seq)
  }

  package func knows(_ cursor: FeedCursor) -> Bool {
    cursor.seq == 0
      || feedEpochs.id(of: cursor.seq) == cursor.epoch && cursor.seq <= lastRevocation
  }

  package func observeChanges(_ changed: @escaping @Sendable () -> Void) throws(StoreError) -> any ChangeObservation {
    try StoreWatch(path) { [weak self] in
      // When the store fails, the next commit takes note.
      try? self?.noteForeignCommits()
      changed()
    }
  }

  /// Takes note of what another process may have committed.
  func noteForeignCommits() throws(StoreError) {
    newestRevocation.max(try tally().lastRevocation, ordering: .releasing)
  }

  package func feed(after position: Int64, limit: Int, at now: Timestamp) throws(StoreError) -> FeedPage {
    try checkIsReliable()
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
    newestRevocation.max(page.end, ordering: .releasing)
    return page
  }
}

extension FeedEntry.Subject {
  /// From a row of the feed's query; nil if it is malformed.
  fileprivate init?(_ row: borrowing Row) throws {
    let time = try Timestamp(milliseconds: row.integer(2))
    guard let kind = try row.textIfAny(4) else {
      guard let session = row.lend(1, { SessionID(bytes: $0) }) ?? nil else { return nil }
      self = .session(session, revokedAt: time)
      return
    }
    guard let kind = CutOff.Kind(rawValue: kind), let id = row.lend(5, { UUIDBytes(uuid: $0) }) ?? nil else {
      return nil
    }
    self = .cutOff(CutOff(kind, id, before: time))
  }
}
