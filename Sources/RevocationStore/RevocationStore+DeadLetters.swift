package import DynamicEvents
internal import GRDB

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
