package import DynamicEvents
internal import SQLite
package import Storage

extension RevocationStore {
  /// How long an event is known after it was received, whatever the retention of sessions: Dynamic redelivers for 90
  /// days, and retries such a delivery for one day more.
  private static let eventRetention: Int64 = 92 * 86_400_000

  /// Takes one step of a pass. Returns where the next one begins; nil at the pass's end.
  ///
  /// Sessions go at their expiry. Events go once the deduplication, each of the `handlers` (by name; those that are
  /// configured) and those who look at dead letters are done with them. What a handler that is no longer configured has
  /// not delivered keeps no event, but what it gave up does.
  package func prune(
    _ step: PruneStep, at now: Timestamp, handlers: [String]
  ) throws(StoreError) -> PruneStep? {
    switch step {
    case .revocations(let seq): try pruneRevocations(after: seq, at: now) ?? PruneStep.cutOffs(after: 0)
    case .cutOffs(let seq): try pruneCutOffs(after: seq, at: now) ?? PruneStep.events(after: 0)
    case .events(let seq): try pruneEvents(after: seq, at: now, handlers: handlers)
    }
  }

  private func pruneRevocations(after seq: Int64, at now: Timestamp) throws(StoreError) -> PruneStep? {
    let horizon = retention.horizon(at: now).milliseconds
    let (expired, next): ([Int64], Int64?) = try read { db in
      // Compared where they are: a pass over ten million rows that each come out of SQLite takes ten times the
      // processor.
      let expired = try db.all(
        """
        SELECT seq FROM revocation WHERE seq > ?1 AND seq <= ?1 + \(PruneStep.looks) AND remember_from < ?2
        ORDER BY seq LIMIT \(PruneStep.deletes)
        """, seq, horizon
      ) { row in try row.integer(0) }
      if expired.count == PruneStep.deletes { return (expired, expired.last) }
      let next = try db.first(
        "SELECT seq - 1 FROM revocation WHERE seq > ?1 + \(PruneStep.looks) ORDER BY seq LIMIT 1", seq
      ) { row in try row.integer(0) }
      return (expired, next)
    }
    guard !expired.isEmpty else { return next.map { .revocations(after: $0) } }
    try write { db in
      var tally = try Tally.fetch(db)
      // The time once more: an event may have had the session remembered for longer meanwhile.
      for seq in expired {
        try db.run("DELETE FROM revocation WHERE seq = ? AND remember_from < ?", seq, horizon)
        tally.revocations -= db.changes
      }
      try tally.update(db)
    }
    return next.map { .revocations(after: $0) }
  }

  private func pruneCutOffs(after seq: Int64, at now: Timestamp) throws(StoreError) -> PruneStep? {
    let (expired, next): ([CutOff], Int64?) = try read { db in
      let expired = try db.all(
        "\(CutOff.select) WHERE seq > ?1 AND seq <= ?1 + \(PruneStep.looks) AND expires_at < ?2", seq,
        now.milliseconds
      ) { row in try CutOff(row) }
      let next = try db.first(
        "SELECT seq - 1 FROM cutoff WHERE seq > ?1 + \(PruneStep.looks) ORDER BY seq LIMIT 1", seq
      ) { row in try row.integer(0) }
      return (expired, next)
    }
    if !expired.isEmpty {
      let gone = try write { db in
        // The time once more: the user may have been cut off again meanwhile.
        try expired.filter { cutOff in
          try db.run(
            "DELETE FROM cutoff WHERE kind = ? AND id = ? AND before = ?", cutOff.kind.rawValue, cutOff.id.uuidText,
            cutOff.before.milliseconds)
          return db.changes > 0
        }
      }
      cutOffs.remove(gone)
    }
    return next.map { .cutOffs(after: $0) }
  }

  private func pruneEvents(
    after seq: Int64, at now: Timestamp, handlers: [String]
  ) throws(StoreError) -> PruneStep? {
    let (old, next): ([Int64], Int64?) = try read { db in
      var old: [Int64] = []
      var next: Int64?
      var looks = 0
      var reachedYoung = false
      try db.walk(
        "SELECT seq, received_at FROM event WHERE seq > ? ORDER BY seq LIMIT \(PruneStep.deletes)", seq
      ) { row in
        let seq = try row.integer(0)
        let age = now.milliseconds - Timestamp(milliseconds: try row.integer(1)).milliseconds
        // Numbers are given out in the order of receipt, so all that follow are young as well; but not if this one was
        // received by a clock that was ahead.
        reachedYoung = 0...Self.eventRetention ~= age
        if reachedYoung { return false }
        looks += 1
        next = seq
        if age > 0 { old.append(seq) }
        return true
      }
      return (old, !reachedYoung && looks == PruneStep.deletes ? next : nil)
    }
    if !old.isEmpty {
      try write { db in
        var transaction = try EventPruning(db, handlers: handlers)
        for seq in old { try transaction.prune(seq) }
        try transaction.finish()
      }
    }
    return next.map { .events(after: $0) }
  }
}

/// The deletion of old events, inside its transaction.
struct EventPruning {
  private let db: Connection
  private var tally: Tally
  /// The configured handlers' ids.
  private let handlers: Set<Int64>
  /// Up to here each of them has attempted every event.
  private let position: Int64

  init(_ db: Connection, handlers names: [String]) throws {
    self.db = db
    tally = try Tally.fetch(db)
    let known = try db.all("SELECT id, name, position FROM handler") { row in
      try (id: row.integer(0), name: row.text(1), position: row.integer(2))
    }.filter { names.contains($0.name) }
    handlers = Set(known.map(\.id))
    position = known.map(\.position).min() ?? .max
  }

  /// Deletes the event unless it is still needed.
  mutating func prune(_ seq: Int64) throws {
    guard seq <= position else { return }
    // By way of the handlers, so that the primary key finds the rows.
    let deliveries = try db.all(
      "SELECT handler_id, next_at FROM delivery WHERE handler_id IN (SELECT id FROM handler) AND event_seq = ?", seq
    ) { row in try (handler: row.integer(0), isDead: row.isNull(1)) }
    guard !deliveries.contains(where: { $0.isDead || handlers.contains($0.handler) }) else { return }
    // An undecodable event is a dead letter itself.
    try db.run("DELETE FROM event WHERE seq = ? AND problem IS NULL", seq)
    guard db.changes == 1 else { return }
    tally.events -= 1
    guard !deliveries.isEmpty else { return }
    try db.run("DELETE FROM delivery WHERE handler_id IN (SELECT id FROM handler) AND event_seq = ?", seq)
  }

  func finish() throws {
    try tally.update(db)
  }
}

extension Retention {
  /// Takes the place of the retention that the store was opened with before. A shorter one counts a day from now: what
  /// was answered 200 until now is to be refused for a day, and the rows say so by the retention of their time.
  ///
  /// - Returns: `asked`, and what counts beside it.
  static func begin(_ asked: Retention, _ connections: StoreConnections, at now: Timestamp) throws -> Retention {
    do {
      return try connections.withWriter { db in
        try db.write {
          var retention = asked
          if let last = try Last.fetch(db) { retention.former = last.outlasting(asked, at: now) }
          try db.run(
            "INSERT OR REPLACE INTO retention (id, period, former, former_until) VALUES (1, ?, ?, ?)",
            retention.period, retention.former?.period ?? 0, retention.former?.until.milliseconds ?? 0)
          return retention
        }
      }
    } catch {
      // A full disk must not keep look-ups from being answered. A day that cannot be written down for
      // the next start does not begin to pass.
      var retention = asked
      if let last = try connections.read(Last.fetch) {
        retention.former = (max(last.period, last.former), Timestamp(milliseconds: .max))
      }
      return retention
    }
  }

  /// What the last opening left.
  private struct Last {
    let period: Int64
    let former: Int64
    let formerUntil: Timestamp

    static func fetch(_ db: Connection) throws -> Last? {
      try db.first("SELECT period, former, former_until FROM retention") { row in
        try Last(
          period: row.integer(0), former: row.integer(1), formerUntil: Timestamp(milliseconds: row.integer(2)))
      }
    }

    /// What goes on counting beside the new one.
    func outlasting(_ asked: Retention, at now: Timestamp) -> (period: Int64, until: Timestamp)? {
      let longest = now < formerUntil ? max(period, former) : period
      guard longest > asked.period else { return nil }
      // Restarts alone do not make the day any longer.
      let until = asked.period < period ? Timestamp(milliseconds: now.milliseconds + Retention.day) : formerUntil
      return (longest, until)
    }
  }
}
