internal import DynamicEvents
internal import SQLite
internal import Storage

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
