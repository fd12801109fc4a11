internal import DynamicEvents
internal import Foundation
internal import GRDB
internal import Synchronization

extension RevocationStore: EventAppending {
  package func append(_ batch: [IncomingEvent]) throws(StoreError) -> [AppendOutcome] {
    let (outcomes, last) = try appendTransaction { transaction in
      let outcomes = try transaction.append(batch)
      return (outcomes, transaction.lastRevocation)
    }
    health.appended()
    // Another process's commit may have come between, and been noted.
    lastRevocation.max(last, ordering: .releasing)
    return outcomes
  }

  /// One transaction that may add rows, and what follows from it for the indexes.
  func appendTransaction<Value: Sendable>(
    _ body: (inout AppendTransaction) throws -> Value
  ) throws(StoreError) -> Value {
    try appending.withLock { _ throws(StoreError) in
      do throws(StoreError) {
        let (value, made) = try write { db in
          // Another process's indexes are as of now, since nobody tells it.
          let keys = try unsafe keys ?? KeyWriters.load(db)
          var transaction = try AppendTransaction(db, retention, keys) { commits.wrappingAdd(1, ordering: .releasing) }
          let first = transaction.lastRevocation
          let value = try body(&transaction)
          try transaction.finish()
          return (value, (transaction.cutOffs, first, transaction.lastRevocation))
        }
        // Behind the counting of the commit, so that whoever finds a row by this has a snapshot with the row.
        unsafe keys?.committed()
        cutOffs.committed(made.0, from: made.1, to: made.2)
        return value
      } catch {
        unsafe keys?.failed()
        throw error
      }
    }
  }
}

/// The appending of one batch, inside its transaction. The numbers live here until `finish` and go with a rollback.
struct AppendTransaction {
  let db: Database
  private let retention: Retention
  private let keys: KeyWriters
  private let insertEvent: PreparedStatement
  private let insertRevocation: PreparedStatement
  /// Those that this transaction made or moved.
  private(set) var cutOffs: [CutOff] = []
  var tally: Tally

  init(_ db: Database, _ retention: Retention, _ keys: KeyWriters, willCover: () -> Void) throws {
    self.db = db
    self.retention = retention
    self.keys = keys
    insertEvent = try PreparedStatement(
      db,
      sql: """
        INSERT INTO event (seq, key, name, problem, source, messages, received_at, occurred_at, body)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """)
    insertRevocation = try PreparedStatement(
      db,
      sql: """
        INSERT INTO revocation (seq, session, revoked_at, revoked_by, remember_from, event_seq, event_id)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        """)
    tally = try Tally.fetch(db)
    try keys.events.begin(db, last: tally.lastEvent, willCover: willCover)
    try keys.revocations.begin(db, last: tally.lastRevocation, willCover: willCover)
  }

  /// The newest number given out.
  var lastRevocation: Int64 { tally.lastRevocation }

  /// Answers one outcome per event, in order.
  mutating func append(_ batch: [IncomingEvent]) throws -> [AppendOutcome] {
    keys.events.expect(batch.map { IndexKey($0.key) })
    keys.revocations.expect(
      batch.compactMap { event in
        guard case .sessionRevoked(let revoked) = event.kind else { return nil }
        return IndexKey(revoked.session)
      })
    return try batch.map { try append($0) }
  }

  private mutating func append(_ event: IncomingEvent) throws -> AppendOutcome {
    // Only Dynamic's own deliveries say that it was heard of.
    if event.source != .operator { tally.lastReceivedAt = event.receivedAt }
    let known = try seq(of: event.key)
    let stored = known == nil
    let seq: Int64
    if let known {
      try meetAgain(event, known)
      seq = known
    } else {
      seq = try insert(event)
    }
    switch event.kind {
    case .sessionRevoked(let revoked):
      // A duplicate too: it costs one probe and changes nothing, except when two events share an id and name different
      // sessions, where anything else would answer 200 and let the second session live.
      try revoke(revoked, by: event, seq: seq)
      return stored ? .accepted : .duplicate
    case .cutOff(let cutOff):
      try self.cutOff(cutOff, seq: seq)
      return stored ? .accepted : .duplicate
    case .other:
      return stored ? .accepted : .duplicate
    case .undecodable:
      if stored { tally.undecodable += 1 }
      return .undecodable
    }
  }

  func finish() throws {
    try keys.events.finish(db, last: tally.lastEvent)
    try keys.revocations.finish(db, last: tally.lastRevocation)
    try tally.update(db)
  }

  func seq(of key: EventKey) throws -> Int64? {
    try keys.events.seq(of: IndexKey(key), db)
  }

  /// Has the event found under a number that is new to it.
  func add(_ key: EventKey, seq: Int64) {
    keys.events.add(IndexKey(key), seq: seq)
  }

  /// Answers the event's number.
  private mutating func insert(_ event: IncomingEvent) throws -> Int64 {
    let (name, problem): (String?, String?) =
      switch event.kind {
      case .sessionRevoked(let revoked): (revoked.name, nil)
      case .cutOff: (EventNames.operatorCutOff, nil)
      case .other(let name): (name, nil)
      case .undecodable(let problem): (nil, problem)
      }
    var messages = MessageIDs()
    messages.add(event.messageID)
    try insertEvent.bind(tally.lastEvent + 1, at: 1)
    try insertEvent.bind(event.key.bigEndianWords, at: 2)
    try insertEvent.bind(name, at: 3)
    try insertEvent.bind(problem, at: 4)
    try insertEvent.bind(event.source.rawValue, at: 5)
    try insertEvent.bind(messages.text, at: 6)
    try insertEvent.bind(event.receivedAt.milliseconds, at: 7)
    try insertEvent.bind(event.occurredAt?.milliseconds, at: 8)
    try insertEvent.bind(event.body, at: 9)
    _ = try insertEvent.run()
    tally.lastEvent += 1
    tally.events += 1
    add(event.key, seq: tally.lastEvent)
    return tally.lastEvent
  }

  /// Remembers the message, and puts the event's dead deliveries back in the queue, so that "redeliver" in Dynamic's
  /// dashboard works.
  private func meetAgain(_ event: IncomingEvent, _ seq: Int64) throws {
    let select = try db.cachedStatement(sql: "SELECT messages FROM event WHERE seq = ?")
    var messages = try MessageIDs(text: String.fetchOne(select, arguments: [seq]) ?? "")
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
  }

  /// Monotonic: a later event changes nothing of the first one's row, but can have it remembered for longer. Then the row
  /// goes to the end of the feed, where those who follow it learn of the new expiry.
  mutating func revoke(_ revoked: SessionRevoked, by event: IncomingEvent, seq: Int64) throws {
    let revokedAt = revoked.revokedAt ?? event.occurredAt ?? event.receivedAt
    let rememberFrom = retention.rememberFrom(revoked, revokedAt: revokedAt, receivedAt: event.receivedAt)
    let key = IndexKey(revoked.session)
    if let known = try keys.revocations.seq(of: key, db) {
      try db.cachedStatement(
        sql: "UPDATE revocation SET seq = ?1, remember_from = ?2 WHERE seq = ?3 AND remember_from < ?2"
      ).execute(arguments: [tally.lastRevocation + 1, rememberFrom.milliseconds, known])
      guard db.changesCount > 0 else { return }
      tally.lastRevocation += 1
      return keys.revocations.add(key, seq: tally.lastRevocation)
    }
    try insertRevocation.bind(tally.lastRevocation + 1, at: 1)
    try insertRevocation.bind(revoked.session.bigEndianWords, at: 2)
    try insertRevocation.bind(revokedAt.milliseconds, at: 3)
    try insertRevocation.bind(revoked.by.rawValue, at: 4)
    try insertRevocation.bind(rememberFrom.milliseconds, at: 5)
    try insertRevocation.bind(seq, at: 6)
    try insertRevocation.bind(revoked.eventID, at: 7)
    _ = try insertRevocation.run()
    tally.lastRevocation += 1
    tally.revocations += 1
    keys.revocations.add(key, seq: tally.lastRevocation)
  }
  /// Monotonic: an order that came later in the queue, but was given earlier, changes nothing.
  private mutating func cutOff(_ cutOff: CutOff, seq: Int64) throws {
    try db.cachedStatement(
      sql: """
        INSERT INTO cutoff (seq, kind, id, before, expires_at, event_seq) VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (kind, id) DO UPDATE SET
          seq = excluded.seq, before = excluded.before, event_seq = excluded.event_seq,
          expires_at = max(expires_at, excluded.expires_at)
        WHERE excluded.before > before
        """
    ).execute(arguments: [
      tally.lastRevocation + 1, cutOff.kind.rawValue, cutOff.id.uuidText, cutOff.before.milliseconds,
      retention.expiresAt(rememberedFrom: cutOff.before, at: cutOff.before).milliseconds, seq,
    ])
    guard db.changesCount > 0 else { return }
    tally.lastRevocation += 1
    cutOffs.append(cutOff)
  }
}
