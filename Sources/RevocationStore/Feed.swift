internal import Dispatch
package import DynamicEvents
internal import Glibc
internal import SQLite
package import Storage
internal import Synchronization
internal import SystemPackage

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

extension FeedEpochs {
  /// Begins an epoch. One that gave out no number is replaced, so that restarts alone add nothing.
  static func begin(_ connections: StoreConnections) throws -> FeedEpochs {
    let id = UInt32.random(in: .min ... .max)
    do {
      try connections.withWriter { db in
        try db.write {
          try db.run(
            "INSERT OR REPLACE INTO feed_epoch (first_seq, id) SELECT last_revocation + 1, ? FROM tally", Int64(id))
        }
      }
    } catch {
      // A full disk must not keep look-ups from being answered. An id that is not kept is unknown after the next
      // opening, and a client that has it reads everything again, which costs only the work.
    }
    return try connections.read { db in
      var epochs = FeedEpochs(
        try db.all("SELECT first_seq, id FROM feed_epoch ORDER BY first_seq") { row in
          try (row.integer(0), UInt32(truncatingIfNeeded: row.integer(1)))
        })
      let next = try Tally.fetch(db).lastRevocation + 1
      if epochs.last != id { epochs.append(id, first: next) }
      return epochs
    }
  }

  /// Begins an epoch for numbers that a command gives out. No opening began one for them if no server runs, and on a
  /// restored backup the last one is another history's. Where a server runs, its callers' cursors are unknown after its
  /// next start, and they read everything again.
  static func begin(_ db: Connection, first seq: Int64) throws {
    try db.run(
      "INSERT OR REPLACE INTO feed_epoch (first_seq, id) VALUES (?, ?)", seq, Int64(UInt32.random(in: .min ... .max)))
  }
}

/// Reports when another process may have written to the store, such as a command that put dead letters back.
///
/// The kernel reports when a process that could write closes the database file, also when it was killed. So nothing
/// polls, and a command need not know whether a server runs, or where: a process number means nothing in another
/// container. Commands that only read are reported as well; looking for work that is not there is cheap.
final class StoreWatch: ChangeObservation {
  // Activated once, and then only cancelled, which is safe from any thread.
  private nonisolated(unsafe) let source: any DispatchSourceRead

  /// - Parameter written: called on a queue of its own, at most once at a time. Must be brief.
  init(_ path: String, _ written: @escaping @Sendable () -> Void) throws(StoreError) {
    let descriptor: CInt
    do throws(Errno) {
      descriptor = try systemCall { inotify_init1(CInt(IN_NONBLOCK | IN_CLOEXEC)) }
      do throws(Errno) {
        // A String lent to C lives as long as the call.
        try systemCall { unsafe inotify_add_watch(descriptor, path, UInt32(IN_CLOSE_WRITE)) }
      } catch {
        close(descriptor)
        throw error
      }
    } catch {
      throw .io(path: path, cause: "it cannot be watched: \(error.description)")
    }
    let source = DispatchSource.makeReadSource(
      fileDescriptor: descriptor, queue: DispatchQueue(label: "revoked.watch"))
    source.setEventHandler {
      var buffer = [UInt8](repeating: 0, count: 4096)
      // What happened is no news, only that it did. The buffer outlives each call, and the count is its own.
      while unsafe read(descriptor, &buffer, buffer.count) > 0 {}
      written()
    }
    // The descriptor is closed once the source has let go of it.
    source.setCancelHandler { close(descriptor) }
    source.activate()
    unsafe self.source = source
  }

  package func cancel() {
    unsafe source.cancel()
  }

  deinit { unsafe source.cancel() }
}
