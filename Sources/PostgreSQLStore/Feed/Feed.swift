#if PostgreSQL
  package import DynamicEvents
  internal import PostgreSQL
  package import Storage
  internal import Synchronization

  extension PostgreSQLStore {
    package var lastRevocation: Int64 { newest.load(ordering: .acquiring) }

    package func cursor(at seq: Int64) -> FeedCursor {
      FeedCursor(epoch: epochs.withLock { $0.id(of: seq) } ?? 0, seq: seq)
    }

    package func knows(_ cursor: FeedCursor) -> Bool {
      func isKnown() -> Bool {
        cursor.seq == 0 || epochs.withLock { $0.id(of: cursor.seq) } == cursor.epoch && cursor.seq <= lastRevocation
      }
      if isKnown() { return true }
      // Another node may have given it out a moment ago.
      do {
        let generation = node.generation
        try use { connection, deadline in
          note(try connection.query(Numbers.lastRevocation, until: deadline)[0].integer(0), generation)
          try loadEpochs(connection, until: deadline)
        }
      } catch {
        // The reading that follows says why nothing can be read.
        return true
      }
      return isKnown()
    }

    /// Takes note of a committed number, unless the connections to the server that it is from have ended meanwhile: the
    /// next server may never have given it out.
    func note(_ number: Int64, _ generation: Int) {
      epochs.withLock { _ in
        if node.generation == generation { newest.max(number, ordering: .releasing) }
      }
    }

    /// What another server gave out, nobody has read here.
    func forgetNumbers() {
      epochs.withLock { epochs in
        epochs = .none
        newest.store(0, ordering: .releasing)
      }
    }

    private func loadEpochs(_ connection: Connection, until deadline: Deadline) throws {
      let found = try connection.query("SELECT first_seq, id FROM revoked.feed_epoch ORDER BY 1", until: deadline).map {
        row in try (first: row.integer(0), id: UInt32(truncatingIfNeeded: row.integer(1)))
      }
      epochs.withLock { $0 = FeedEpochs(found) }
    }

    /// All but the epochs is one statement, and so of one moment. What an epoch says of a number was committed before
    /// the number was given out.
    package func feed(after position: Int64, limit: Int, at now: Timestamp) throws(StoreError) -> FeedPage {
      let retention = shared.retention
      let generation = node.generation
      return try use { connection, deadline in
        let rows = try connection.query(
          """
          WITH entry AS (
            SELECT * FROM (
              (SELECT seq, session AS id, revoked_at AS at, remember_from AS until, NULL AS kind
                FROM revoked.revocation WHERE seq > $1 ORDER BY seq LIMIT $2)
              UNION ALL
              (SELECT seq, id, before, expires_at, kind FROM revoked.cutoff WHERE seq > $1 ORDER BY seq LIMIT $2)
            ) each ORDER BY seq LIMIT $2)
          SELECT (\(Numbers.lastRevocation)) AS seq, NULL::uuid, (SELECT departures FROM revoked.tally),
            (SELECT at FROM revoked.heard), (SELECT id::text FROM revoked.feed_epoch ORDER BY first_seq DESC LIMIT 1), 0
          UNION ALL SELECT seq, id, at, until, kind, 1 FROM entry ORDER BY 6, 1
          """, [Parameter(position), Parameter(limit)], until: deadline)
        let head = rows[0]
        let last = try head.integer(0)
        if epochs.withLock({ $0.last }).map({ Int64($0) }) != head.textIfAny(4).flatMap({ Int64($0) }) {
          try loadEpochs(connection, until: deadline)
        }
        // As the pruner has it, so that nothing is left out that look-ups still refuse.
        let heard = try head.integerIfAny(3).map(Timestamp.init(milliseconds:))
        let now = Tally(
          lastEvent: 0, lastRevocation: last, events: 0, revocations: 0, undecodable: 0, lastReceivedAt: heard
        ).believable(now)
        var page = FeedPage(entries: [], end: position, isLast: rows.count - 1 < limit, departures: try head.integer(2))
        page.entries.reserveCapacity(rows.count)
        let epochs = epochs.withLock { $0 }
        for index in 1..<rows.count {
          let row = rows[index]
          page.end = try row.integer(0)
          let until = try Timestamp(milliseconds: row.integer(3))
          let expiresAt = row.isNull(4) ? retention.expiresAt(rememberedFrom: until, at: now) : until
          guard expiresAt >= now else { continue }
          guard let epoch = epochs.id(of: page.end) else {
            throw PostgreSQLError(.unexpected, "a number of the feed belongs to no epoch")
          }
          page.entries.append(
            FeedEntry(
              cursor: FeedCursor(epoch: epoch, seq: page.end), subject: try FeedEntry.Subject(row),
              expiresAt: expiresAt))
        }
        // Past numbers that were pruned or moved: there is nothing to come back for.
        if page.isLast { page.end = max(page.end, last) }
        note(max(page.end, last), generation)
        return page
      }
    }

    package func observeChanges(
      _ changed: @escaping @Sendable () -> Void
    ) throws(StoreError) -> any ChangeObservation {
      guard let pulse else { throw .readOnly(path: location) }
      return PulseObservation(pulse.observers, pulse.observers.add(changed))
    }
  }

  private final class PulseObservation: ChangeObservation {
    private let observers: Observers
    private let number: Int

    init(_ observers: Observers, _ number: Int) {
      self.observers = observers
      self.number = number
    }

    func cancel() { observers.remove(number) }

    deinit { cancel() }
  }

  extension FeedEntry.Subject {
    fileprivate init(_ row: Row) throws(PostgreSQLError) {
      guard row.isNull(4) else {
        self = .cutOff(try CutOff(row, id: 1, before: 2, kind: 4))
        return
      }
      guard let session = try SessionID(bytes: row.bytes(1)) else {
        throw PostgreSQLError(.unexpected, "a revocation is malformed")
      }
      self = .session(session, revokedAt: Timestamp(milliseconds: try row.integer(2)))
    }
  }
#endif
