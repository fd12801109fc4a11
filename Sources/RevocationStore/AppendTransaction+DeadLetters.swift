internal import DynamicEvents
internal import Foundation
internal import GRDB

extension AppendTransaction {
  /// Whether the event is usable now. If so, everything is as if it had been decoded when it came, and every handler that has passed it
  /// gets it as a retry.
  mutating func decodeAgain(event seq: Int64, at now: Timestamp) throws -> Bool {
    let select = try db.cachedStatement(
      sql: "SELECT body, received_at FROM event WHERE seq = ? AND problem IS NOT NULL")
    guard let row = try Row.fetchOne(select, arguments: [seq]) else { return false }
    let body = [UInt8](row[0] as Data)
    let event: Event
    do throws(UndecodableReason) {
      event = try Event(body: body)
    } catch {
      // What this release has to say may be more than what the other one said.
      try db.execute(sql: "UPDATE event SET problem = ? WHERE seq = ?", arguments: [error.description, seq])
      return false
    }
    let key = try EventOutline(body.span).key(in: body.span)
    if try Int64.fetchOne(db, sql: "SELECT seq FROM event WHERE key = ?", arguments: [Data(key.bytes)]) != nil {
      // It came again meanwhile, and was understood.
      return try forgetUndecodable(event: seq)
    }
    try db.execute(
      sql: "UPDATE event SET key = ?, name = ?, problem = NULL, occurred_at = ? WHERE seq = ?",
      arguments: [Data(key.bytes), event.envelope.eventName, event.envelope.timestamp?.milliseconds, seq])
    tally.undecodable -= 1
    if case .sessionRevoked(let session, let by) = event.payload {
      let revoked = SessionRevoked(
        name: event.envelope.eventName, eventID: event.envelope.eventId, session: session.id, by: by,
        revokedAt: session.revokedAt, createdAt: session.createdAt)
      try revoke(
        revoked,
        by: IncomingEvent(
          key: key, messageID: nil, body: body, receivedAt: Timestamp(milliseconds: row[1]),
          occurredAt: event.envelope.timestamp, kind: .sessionRevoked(revoked)), seq: seq)
    }
    try db.execute(
      sql: """
        INSERT INTO delivery (handler_id, event_seq, attempts, attempted_at, next_at, last_error)
        SELECT id, ?1, 0, ?2, ?2, 'it could not be decoded when it came' FROM handler WHERE position >= ?1
        """, arguments: [seq, now.milliseconds])
    return true
  }

  mutating func forgetUndecodable(event seq: Int64) throws -> Bool {
    try db.execute(sql: "DELETE FROM event WHERE seq = ? AND problem IS NOT NULL", arguments: [seq])
    guard db.changesCount > 0 else { return false }
    tally.undecodable -= 1
    tally.events -= 1
    return true
  }
}
