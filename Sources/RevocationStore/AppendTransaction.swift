internal import DynamicEvents
internal import Foundation
internal import GRDB

/// The appending of one batch, inside its transaction. The numbers live here until `finish` and go with a rollback.
struct AppendTransaction {
  let db: Database
  private let retention: Retention
  private let insertEvent: PreparedStatement
  private let insertRevocation: PreparedStatement
  var tally: Tally

  init(_ db: Database, _ retention: Retention) throws {
    self.db = db
    self.retention = retention
    insertEvent = try PreparedStatement(
      db,
      sql: """
        INSERT INTO event (seq, key, name, problem, messages, received_at, occurred_at, body)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING
        """)
    insertRevocation = try PreparedStatement(
      db,
      sql: """
        INSERT INTO revocation (seq, session, revoked_at, revoked_by, remember_from, event_seq, event_id)
        VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (session) DO NOTHING
        """)
    tally = try Tally.fetch(db)
  }

  /// The newest number given out.
  var lastRevocation: Int64 { tally.lastRevocation }

  mutating func append(_ event: IncomingEvent) throws -> AppendOutcome {
    tally.lastReceivedAt = event.receivedAt
    let stored = try insert(event)
    let seq = try stored ? tally.lastEvent : meetAgain(event)
    switch event.kind {
    case .sessionRevoked(let revoked):
      // A duplicate too: it costs one probe and changes nothing, except when two events share an id and name different
      // sessions, where anything else would answer 200 and let the second session live.
      try revoke(revoked, by: event, seq: seq)
      return stored ? .accepted : .duplicate
    case .other:
      return stored ? .accepted : .duplicate
    case .undecodable:
      if stored { tally.undecodable += 1 }
      return .undecodable
    }
  }

  func finish() throws {
    try tally.update(db)
  }

  /// Answers false when the key is there already.
  private mutating func insert(_ event: IncomingEvent) throws -> Bool {
    let (name, problem): (String?, String?) =
      switch event.kind {
      case .sessionRevoked(let revoked): (revoked.name, nil)
      case .other(let name): (name, nil)
      case .undecodable(let problem): (nil, problem)
      }
    var messages = MessageIDs()
    messages.add(event.messageID)
    try insertEvent.bind(tally.lastEvent + 1, at: 1)
    try insertEvent.bind(event.key.bigEndianWords, at: 2)
    try insertEvent.bind(name, at: 3)
    try insertEvent.bind(problem, at: 4)
    try insertEvent.bind(messages.text, at: 5)
    try insertEvent.bind(event.receivedAt.milliseconds, at: 6)
    try insertEvent.bind(event.occurredAt?.milliseconds, at: 7)
    try insertEvent.bind(event.body, at: 8)
    guard try insertEvent.run() == 1 else { return false }
    tally.lastEvent += 1
    tally.events += 1
    return true
  }

  /// Remembers the message, and puts the event's dead deliveries back in the queue, so that "redeliver" in Dynamic's
  /// dashboard works. Answers the stored event's number.
  private func meetAgain(_ event: IncomingEvent) throws -> Int64 {
    let select = try db.cachedStatement(sql: "SELECT seq, messages FROM event WHERE key = ?")
    guard let row = try Row.fetchOne(select, arguments: [Data(event.key.bytes)]) else {
      throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "an index knows an event that the table does not")
    }
    let seq: Int64 = try row.decode(atIndex: 0)
    var messages = try MessageIDs(text: row.decode(atIndex: 1))
    if messages.add(event.messageID) {
      try db.cachedStatement(sql: "UPDATE event SET messages = ? WHERE seq = ?").execute(arguments: [
        messages.text, seq,
      ])
    }
    // By way of the handlers, so that the primary key finds the rows.
    try db.cachedStatement(
      sql: """
        UPDATE delivery SET next_at = ?, attempts = 0
        WHERE handler_id IN (SELECT id FROM handler) AND event_seq = ? AND next_at IS NULL
        """
    ).execute(arguments: [event.receivedAt.milliseconds, seq])
    return seq
  }

  /// Monotonic: a later event changes nothing of the first one's row, but can have it remembered for longer. Then the row
  /// goes to the end of the feed, where those who follow it learn of the new expiry.
  mutating func revoke(_ revoked: SessionRevoked, by event: IncomingEvent, seq: Int64) throws {
    let revokedAt = revoked.revokedAt ?? event.occurredAt ?? event.receivedAt
    let rememberFrom = retention.rememberFrom(revoked, revokedAt: revokedAt, receivedAt: event.receivedAt)
    try insertRevocation.bind(tally.lastRevocation + 1, at: 1)
    try insertRevocation.bind(revoked.session.bigEndianWords, at: 2)
    try insertRevocation.bind(revokedAt.milliseconds, at: 3)
    try insertRevocation.bind(revoked.by.rawValue, at: 4)
    try insertRevocation.bind(rememberFrom.milliseconds, at: 5)
    try insertRevocation.bind(seq, at: 6)
    try insertRevocation.bind(revoked.eventID, at: 7)
    if try insertRevocation.run() == 1 {
      tally.lastRevocation += 1
      tally.revocations += 1
      return
    }
    try db.cachedStatement(
      sql: "UPDATE revocation SET seq = ?1, remember_from = ?2 WHERE session = ?3 AND remember_from < ?2"
    ).execute(arguments: [tally.lastRevocation + 1, rememberFrom.milliseconds, Data(revoked.session.bytes)])
    tally.lastRevocation += Int64(db.changesCount)
  }
}
