internal import DynamicEvents
internal import Foundation
internal import GRDB

extension AppendTransaction {
  /// Whether the event is usable now. If so, everything is as if it came now: it gets the next number, so that every handler meets it in its
  /// turn, also one that is about to pass its old place.
  mutating func decodeAgain(event seq: Int64, at now: Timestamp) throws -> Bool {
    let select = try db.cachedStatement(
      sql: "SELECT body, received_at FROM event WHERE seq = ? AND problem IS NOT NULL")
    guard let row = try Row.fetchOne(select, arguments: [seq]) else { return false }
    let body = try [UInt8](row.decode(Data.self, atIndex: 0))
    let event: Event
    do throws(UndecodableReason) {
      event = try Event(body: body)
    } catch {
      // What this release has to say may be more than what the other one said.
      try db.execute(sql: "UPDATE event SET problem = ? WHERE seq = ?", arguments: [error.description, seq])
      return false
    }
    let key = try EventOutline(body.span).key(in: body.span)
    var known = try self.seq(of: key)
    // Without an id of its own it is told apart by its bytes, as it was before.
    if known == seq { known = nil }
    if known == nil {
      tally.lastEvent += 1
      tally.undecodable -= 1
      try db.execute(
        sql: """
          UPDATE event SET seq = ?, key = ?, name = ?, problem = NULL, received_at = ?, occurred_at = ? WHERE seq = ?
          """,
        arguments: [
          tally.lastEvent, Data(key.bytes), event.envelope.eventName, now.milliseconds,
          event.envelope.timestamp?.milliseconds, seq,
        ])
      add(key, seq: tally.lastEvent)
    } else {
      // It came again meanwhile, and was understood.
      _ = try forgetUndecodable(event: seq)
    }
    guard case .sessionRevoked(let session, let by) = event.payload else { return true }
    let revoked = try SessionRevoked(
      name: event.envelope.eventName, eventID: event.envelope.eventId, session: session.id, by: by,
      revokedAt: session.revokedAt ?? event.envelope.timestamp ?? Timestamp(milliseconds: row.decode(atIndex: 1)),
      createdAt: session.createdAt)
    try revoke(
      revoked,
      by: IncomingEvent(
        key: key, messageID: nil, body: body, receivedAt: now, occurredAt: event.envelope.timestamp,
        kind: .sessionRevoked(revoked)), seq: known ?? tally.lastEvent)
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
