package import DynamicEvents
internal import SQLite
package import Storage

extension RevocationStore {
  /// In the order of their ids, behind `after`.
  package func deadLetters(
    _ filter: DeadLetterFilter, after: DeadLetterID?, limit: Int
  ) throws(StoreError) -> [DeadLetter] {
    try read { db in
      try db.all(
        """
        SELECT event_seq, handler, event.name, received_at, attempts, attempt_times, died_at, error
        FROM (\(Self.deadLetters(">"))) CROSS JOIN event ON event.seq = event_seq
        ORDER BY event_seq, handler LIMIT ?6
        """, filter.handler, filter.since?.milliseconds, filter.event, after?.event ?? 0, Self.handler(after), limit,
        make: Self.deadLetter)
    }
  }

  /// The newest events' first, before `before`. A number alone stands before all of its event.
  package func latestDeadLetters(before: DeadLetterID?, limit: Int) throws(StoreError) -> [DeadLetter] {
    try read { db in
      try db.all(
        """
        SELECT event_seq, handler, event.name, received_at, attempts, attempt_times, died_at, error
        FROM (\(Self.deadLetters("<"))) CROSS JOIN event ON event.seq = event_seq
        ORDER BY event_seq DESC, handler DESC LIMIT ?6
        """, nil, nil, nil, before?.event ?? .max, before?.handler ?? "", limit,
        make: Self.deadLetter)
    }
  }

  private static func deadLetter(_ row: borrowing Row) throws -> DeadLetter {
    try DeadLetter(
      id: DeadLetterID(event: row.integer(0), handler: row.textIfAny(1)), eventName: row.textIfAny(2),
      receivedAt: Timestamp(milliseconds: row.integer(3)), attempts: Int(row.integer(4)),
      attemptTimes: AttemptTimes(text: row.text(5)).times, diedAt: Timestamp(milliseconds: row.integer(6)),
      error: row.text(7))
  }

  package func deadLetterCount(_ filter: DeadLetterFilter) throws(StoreError) -> Int {
    try read { db in
      try db.first(
        "SELECT count(*) FROM (\(Self.deadLetters(">")))", filter.handler, filter.since?.milliseconds, filter.event, 0,
        Self.handler(nil)
      ) { row in try Int(row.integer(0)) } ?? 0
    }
  }

  /// Puts dead letters back in the queue, to be attempted at once and as often as a new event. Those that are none (any
  /// more) are passed over.
  ///
  /// One that could not be decoded is decoded again, which a newer release may be able to: its session is revoked if it
  /// is a revocation, and it becomes a new event, for every handler. Returns which were put back, in one transaction;
  /// call it for some hundred at a time, so that ingest gets its turns.
  package func replay(_ ids: [DeadLetterID], at now: Timestamp) throws(StoreError) -> [DeadLetterID] {
    try appendTransaction { transaction in
      try ids.filter { id in
        guard let handler = id.handler else { return try transaction.decodeAgain(event: id.event, at: now) }
        try transaction.db.run(
          """
          UPDATE delivery SET next_at = ?, attempts = 0 WHERE next_at IS NULL AND event_seq = ?
            AND handler_id = (SELECT id FROM handler WHERE name = ?)
          """, now.milliseconds, id.event, handler)
        return transaction.db.changes > 0
      }
    }
  }

  /// Forgets dead letters: the handler never gets the event. One that could not be decoded is deleted with its bytes.
  /// Returns which.
  package func discard(_ ids: [DeadLetterID]) throws(StoreError) -> [DeadLetterID] {
    try appendTransaction { transaction in
      try ids.filter { id in
        guard let handler = id.handler else { return try transaction.forgetUndecodable(event: id.event) }
        try transaction.db.run(
          """
          DELETE FROM delivery WHERE next_at IS NULL AND event_seq = ?
            AND handler_id = (SELECT id FROM handler WHERE name = ?)
          """, id.event, handler)
        return transaction.db.changes > 0
      }
    }
  }

  /// Of handler ?1, from ?2 on, of event ?3, behind (`>`) or before (`<`) the id of event ?4 and handler ?5.
  private static func deadLetters(_ comparison: String) -> String {
    """
    SELECT event_seq, handler.name AS handler, attempts, attempt_times, attempted_at AS died_at, last_error AS error
    FROM delivery JOIN handler ON handler.id = handler_id
    WHERE next_at IS NULL AND (?1 IS NULL OR handler.name = ?1)
      AND (?2 IS NULL OR attempted_at >= ?2) AND (?3 IS NULL OR event_seq = ?3)
      AND (event_seq, handler.name) \(comparison) (?4, ?5)
    UNION ALL
    SELECT seq, NULL, 0, '', received_at, problem FROM event
    WHERE problem IS NOT NULL AND ?1 IS NULL
      AND (?2 IS NULL OR received_at >= ?2) AND (?3 IS NULL OR seq = ?3)
      AND (seq \(comparison) ?4)
    """
  }

  /// An event that could not be decoded has no deliveries, so that its number alone says the place.
  private static func handler(_ after: DeadLetterID?) -> String { after?.handler ?? "\u{10FFFF}" }
}

extension AppendTransaction {
  /// Whether the event is usable now. If so, everything is as if it came now: it gets the next number, so that every
  /// handler meets it in its turn, also one that is about to pass its old place.
  mutating func decodeAgain(event seq: Int64, at now: Timestamp) throws -> Bool {
    let stored = try db.first(
      "SELECT body, received_at, source FROM event WHERE seq = ? AND problem IS NOT NULL", seq
    ) { row in
      try (body: row.blob(0), receivedAt: Timestamp(milliseconds: row.integer(1)), source: EventSource(row, 2))
    }
    guard let stored else { return false }
    let event: Event
    let outline: EventOutline
    do throws(UndecodableReason) {
      (event, outline) = try (Event(body: stored.body), EventOutline(stored.body.span))
    } catch {
      // What this release has to say may be more than what the other one said.
      try db.run("UPDATE event SET problem = ? WHERE seq = ?", error.description, seq)
      return false
    }
    let key = try outline.key(in: stored.body.span)
    var known = try self.seq(of: key)
    // Without an id of its own it is told apart by its bytes, as it was before.
    if known == seq { known = nil }
    if known == nil {
      tally.lastEvent += 1
      tally.undecodable -= 1
      try db.run(
        "UPDATE event SET seq = ?, key = ?, name = ?, problem = NULL, received_at = ?, occurred_at = ? WHERE seq = ?",
        tally.lastEvent, key.bytes, event.envelope.eventName, now.milliseconds,
        event.envelope.timestamp?.milliseconds, seq)
      try add(key, seq: tally.lastEvent)
    } else {
      // It came again meanwhile, and was understood.
      _ = try forgetUndecodable(event: seq)
    }
    guard case .sessionRevoked(let session, let by) = event.payload else { return true }
    let revoked = SessionRevoked(
      name: event.envelope.eventName, eventID: event.envelope.eventId, session: session.id,
      otherSessions: outline.otherSessions, by: by,
      revokedAt: session.revokedAt ?? event.envelope.timestamp ?? stored.receivedAt, createdAt: session.createdAt)
    try revoke(
      revoked,
      by: IncomingEvent(
        key: key, source: stored.source, messageID: nil, body: stored.body, receivedAt: now,
        occurredAt: event.envelope.timestamp, kind: .sessionRevoked(revoked)), seq: known ?? tally.lastEvent)
    return true
  }

  mutating func forgetUndecodable(event seq: Int64) throws -> Bool {
    try db.run("DELETE FROM event WHERE seq = ? AND problem IS NOT NULL", seq)
    guard db.changes > 0 else { return false }
    tally.undecodable -= 1
    tally.events -= 1
    return true
  }
}
