package import DynamicEvents
internal import GRDB

/// What was given up: an event by a handler, or a delivery that could not be decoded and so reached none.
package struct DeadLetter: Hashable, Sendable {
  package var id: DeadLetterID
  /// nil: it could not be decoded.
  package var eventName: String?
  package var receivedAt: Timestamp
  package var attempts: Int
  /// Of the last twenty attempts, oldest first.
  package var attemptTimes: [Timestamp]
  /// When it was given up.
  package var diedAt: Timestamp
  package var error: String
}

/// Names a dead letter for good: `17/audit`, or `17` for one without a handler.
package struct DeadLetterID: Hashable, Comparable, Sendable, LosslessStringConvertible {
  /// The event's number.
  package var event: Int64
  /// nil: it could not be decoded.
  package var handler: String?

  package init(event: Int64, handler: String?) {
    self.event = event
    self.handler = handler
  }

  package init?(_ text: String) {
    let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard let number = parts.first, !number.isEmpty, number.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
      let event = Int64(number), event > 0
    else { return nil }
    self.event = event
    handler = parts.count > 1 ? String(parts[1]) : nil
    if handler == "" { return nil }
  }

  package var description: String { handler.map { "\(event)/\($0)" } ?? "\(event)" }

  package static func < (left: DeadLetterID, right: DeadLetterID) -> Bool {
    (left.event, left.handler ?? "") < (right.event, right.handler ?? "")
  }
}

/// Which dead letters are meant.
package struct DeadLetterFilter: Hashable, Sendable {
  package var handler: String?
  /// Those that died at that time or later.
  package var since: Timestamp?
  /// Of this event: by every handler, and the undecodable delivery itself.
  package var event: Int64?

  package init(handler: String? = nil, since: Timestamp? = nil, event: Int64? = nil) {
    self.handler = handler
    self.since = since
    self.event = event
  }
}

extension RevocationStore {
  /// In the order of their ids, behind `after`.
  package func deadLetters(
    _ filter: DeadLetterFilter, after: DeadLetterID?, limit: Int
  ) throws(StoreError) -> [DeadLetter] {
    try read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT event_seq, handler, event.name, received_at, attempts, attempt_times, died_at, error
          FROM (\(Self.deadLetters)) CROSS JOIN event ON event.seq = event_seq
          ORDER BY event_seq, handler LIMIT :limit
          """, arguments: Self.arguments(filter, after) + ["limit": limit]
      ).map { row in
        try DeadLetter(
          id: DeadLetterID(event: row.decode(atIndex: 0), handler: row.decode(atIndex: 1)),
          eventName: row.decode(atIndex: 2),
          receivedAt: Timestamp(milliseconds: row.decode(atIndex: 3)), attempts: row.decode(atIndex: 4),
          attemptTimes: AttemptTimes(text: row.decode(atIndex: 5)).times,
          diedAt: Timestamp(milliseconds: row.decode(atIndex: 6)), error: row.decode(atIndex: 7))
      }
    }
  }

  package func deadLetterCount(_ filter: DeadLetterFilter) throws(StoreError) -> Int {
    try read { db in
      try Int.fetchOne(
        db, sql: "SELECT count(*) FROM (\(Self.deadLetters))", arguments: Self.arguments(filter, nil)) ?? 0
    }
  }

  /// Puts dead letters back in the queue, to be attempted at once and as often as a new event. Those that are none (any more) are passed over.
  ///
  /// One that could not be decoded is decoded again, which a newer release may be able to: its session is revoked if it is a revocation, and it
  /// becomes a new event, for every handler. Answers which were put back, in one transaction; call it for some hundred at a time, so
  /// that ingest gets its turns.
  package func replay(_ ids: [DeadLetterID], at now: Timestamp) throws(StoreError) -> [DeadLetterID] {
    try appendTransaction { transaction in
      try ids.filter { id in
        guard let handler = id.handler else { return try transaction.decodeAgain(event: id.event, at: now) }
        try transaction.db.cachedStatement(
          sql: """
            UPDATE delivery SET next_at = ?, attempts = 0 WHERE next_at IS NULL AND event_seq = ?
              AND handler_id = (SELECT id FROM handler WHERE name = ?)
            """
        ).execute(arguments: [now.milliseconds, id.event, handler])
        return transaction.db.changesCount > 0
      }
    }
  }

  /// Forgets dead letters: the handler never gets the event. One that could not be decoded is deleted with its bytes. Answers which.
  package func discard(_ ids: [DeadLetterID]) throws(StoreError) -> [DeadLetterID] {
    try appendTransaction { transaction in
      try ids.filter { id in
        guard let handler = id.handler else { return try transaction.forgetUndecodable(event: id.event) }
        try transaction.db.cachedStatement(
          sql: """
            DELETE FROM delivery WHERE next_at IS NULL AND event_seq = ?
              AND handler_id = (SELECT id FROM handler WHERE name = ?)
            """
        ).execute(arguments: [id.event, handler])
        return transaction.db.changesCount > 0
      }
    }
  }

  private static let deadLetters = """
    SELECT event_seq, handler.name AS handler, attempts, attempt_times, attempted_at AS died_at, last_error AS error
    FROM delivery JOIN handler ON handler.id = handler_id
    WHERE next_at IS NULL AND (:handler IS NULL OR handler.name = :handler)
      AND (:since IS NULL OR attempted_at >= :since) AND (:event IS NULL OR event_seq = :event)
      AND (event_seq, handler.name) > (:afterEvent, :afterHandler)
    UNION ALL
    SELECT seq, NULL, 0, '', received_at, problem FROM event
    WHERE problem IS NOT NULL AND :handler IS NULL
      AND (:since IS NULL OR received_at >= :since) AND (:event IS NULL OR seq = :event)
      AND (seq > :afterEvent)
    """

  private static func arguments(_ filter: DeadLetterFilter, _ after: DeadLetterID?) -> StatementArguments {
    [
      "handler": filter.handler, "since": filter.since?.milliseconds, "event": filter.event,
      // An event that could not be decoded has no deliveries, so its number alone tells the place.
      "afterEvent": after?.event ?? 0, "afterHandler": after?.handler ?? "\u{10FFFF}",
    ]
  }
}
