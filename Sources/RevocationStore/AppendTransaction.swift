internal import DynamicEvents
internal import KeyIndex
internal import SQLite
package import Storage
internal import Synchronization

extension RevocationStore: EventAppending {
  package func append(_ batch: [IncomingEvent]) throws(StoreError) -> [AppendOutcome] {
    let (outcomes, last) = try appendTransaction { transaction in
      let outcomes = try transaction.append(batch)
      return (outcomes, transaction.tally.lastRevocation)
    }
    health.appended()
    // Another process's commit may have come between, and been noted.
    newestRevocation.max(last, ordering: .releasing)
    return outcomes
  }

  /// One transaction that may add rows, and what follows from it for the indexes.
  func appendTransaction<Value>(_ body: (inout AppendTransaction) throws -> Value) throws(StoreError) -> Value {
    let writers = unsafe indexes?.writers
    // After the commit is counted, so that a look-up that finds a row by the index has a snapshot with the row.
    var made: (cutOffs: [CutOff], first: Int64, last: Int64)?
    let ended = { (isCommitted: Bool) in
      writers?.ended(isCommitted)
      if isCommitted, let made { self.cutOffs.committed(made.cutOffs, from: made.first, to: made.last) }
    }
    return try write(ended: ended) { db in
      var transaction = try AppendTransaction(db, self)
      let first = transaction.tally.lastRevocation
      let value = try body(&transaction)
      try transaction.finish()
      if indexes == nil, transaction.tally.lastRevocation > first { try FeedEpochs.begin(db, first: first + 1) }
      made = (transaction.cutOffs, first, transaction.tally.lastRevocation)
      return value
    }
  }

  fileprivate func beginIndexes(_ tally: Tally, _ db: Connection) throws -> IndexWriters {
    try checkIndexes()
    // Another process's indexes are as of now, since nothing keeps them up to date.
    let writers = try unsafe indexes?.writers ?? IndexWriters.load(tally, db)
    try writers.begin(tally, db) { commits.wrappingAdd(1, ordering: .releasing) }
    return writers
  }
}

/// The appending of one batch, inside its transaction. The numbers live here until `finish` and go with a rollback.
struct AppendTransaction {
  let db: Connection
  var tally: Tally
  /// Those that this transaction made or moved.
  private(set) var cutOffs: [CutOff] = []
  private let store: RevocationStore
  /// From the first question after a key on: what only changes rows needs no index.
  private var begun: IndexWriters?

  init(_ db: Connection, _ store: RevocationStore) throws {
    self.db = db
    self.store = store
    tally = try Tally.fetch(db)
  }

  /// Returns one outcome per event, in order.
  mutating func append(_ batch: [IncomingEvent]) throws -> [AppendOutcome] {
    let indexes = try indexes()
    if batch.count > 1 {
      indexes.events.expect(batch.map { IndexKey($0.key) })
      indexes.revocations.expect(
        batch.flatMap { event -> [IndexKey] in
          guard case .sessionRevoked(let revoked) = event.kind else { return [] }
          return [IndexKey(revoked.session)] + revoked.otherSessions.map { IndexKey($0) }
        })
    }
    let insertEvent = try db.statement(
      """
      INSERT INTO event (seq, key, name, problem, source, messages, received_at, occurred_at, body)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
      """)
    return try batch.map { try append($0, insertEvent) }
  }

  private mutating func append(_ event: IncomingEvent, _ insert: Statement) throws -> AppendOutcome {
    // Only Dynamic's own deliveries say that it was heard of: what was fetched from its API came because they did not.
    if event.source == .webhook, !event.isTest { tally.lastReceivedAt = event.receivedAt }
    let known = try seq(of: event.key)
    let stored = known == nil
    let seq: Int64
    if let known {
      try update(known, with: event)
      seq = known
    } else {
      seq = try self.insert(event, insert)
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
    try begun?.finish(tally, db)
    try tally.update(db)
  }

  private mutating func indexes() throws -> IndexWriters {
    if let begun { return begun }
    let indexes = try store.beginIndexes(tally, db)
    begun = indexes
    return indexes
  }

  mutating func seq(of key: EventKey) throws -> Int64? {
    try indexes().events.seq(of: IndexKey(key), db)
  }

  /// Has the event found under a number that is new to it.
  mutating func add(_ key: EventKey, seq: Int64) throws {
    try indexes().events.add(IndexKey(key), seq: seq)
  }

  /// Returns the event's number.
  private mutating func insert(_ event: IncomingEvent, _ insert: Statement) throws -> Int64 {
    let (name, problem) = event.kind.noted
    var messages = MessageIDs()
    messages.add(event.messageID)
    try insert.bind(tally.lastEvent + 1, at: 1)
    try insert.bind(event.key.bigEndianWords, at: 2)
    if let name { try insert.bind(name, at: 3) } else { try insert.bindNull(at: 3) }
    if let problem { try insert.bind(problem, at: 4) } else { try insert.bindNull(at: 4) }
    try insert.bind(event.source.rawValue, at: 5)
    try insert.bind(messages.text, at: 6)
    try insert.bind(event.receivedAt.milliseconds, at: 7)
    if let time = event.occurredAt { try insert.bind(time.milliseconds, at: 8) } else { try insert.bindNull(at: 8) }
    try insert.bind(event.body, at: 9)
    try insert.run()
    tally.lastEvent += 1
    tally.events += 1
    try add(event.key, seq: tally.lastEvent)
    return tally.lastEvent
  }

  /// Remembers the message that a known event came with again, and puts its dead deliveries back in the queue, so that
  /// "redeliver" in Dynamic's dashboard works. What is fetched from its API comes again by itself, and puts nothing
  /// back.
  private func update(_ seq: Int64, with event: IncomingEvent) throws {
    let known = try db.first("SELECT messages FROM event WHERE seq = ?", seq) { row in try row.text(0) }
    var messages = MessageIDs(text: known ?? "")
    if messages.add(event.messageID) { try db.run("UPDATE event SET messages = ? WHERE seq = ?", messages.text, seq) }
    guard event.source == .webhook else { return }
    // By way of the handlers, so that the primary key finds the rows.
    try db.run(
      """
      UPDATE delivery SET next_at = ?, attempts = 0
      WHERE handler_id IN (SELECT id FROM handler) AND event_seq = ? AND next_at IS NULL
      """, event.receivedAt.milliseconds, seq)
  }

  /// Monotonic: a later event changes nothing of the first one's row, but can have it remembered for longer. Then the
  /// row goes to the end of the feed, where those who follow it learn of the new expiry.
  mutating func revoke(_ revoked: SessionRevoked, by event: IncomingEvent, seq: Int64) throws {
    try revoke(revoked.session, revoked, event, seq)
    for session in revoked.otherSessions { try revoke(session, revoked, event, seq) }
  }

  private mutating func revoke(
    _ session: SessionID, _ revoked: SessionRevoked, _ event: IncomingEvent, _ seq: Int64
  ) throws {
    let revokedAt = revoked.revokedAt ?? event.occurredAt ?? event.receivedAt
    let rememberFrom = store.retention.rememberFrom(revoked, revokedAt: revokedAt, receivedAt: event.receivedAt)
    let key = IndexKey(session)
    let revocations = try indexes().revocations
    if let known = try revocations.seq(of: key, db) {
      try db.run(
        "UPDATE revocation SET seq = ?1, remember_from = ?2 WHERE seq = ?3 AND remember_from < ?2",
        tally.lastRevocation + 1, rememberFrom.milliseconds, known)
      guard db.changes > 0 else { return }
      tally.lastRevocation += 1
      return revocations.add(key, seq: tally.lastRevocation)
    }
    let insert = try db.statement(
      """
      INSERT INTO revocation (seq, session, revoked_at, revoked_by, remember_from, event_seq, event_id)
      VALUES (?, ?, ?, ?, ?, ?, ?)
      """)
    try insert.bind(tally.lastRevocation + 1, at: 1)
    try insert.bind(session.bigEndianWords, at: 2)
    try insert.bind(revokedAt.milliseconds, at: 3)
    try insert.bind(revoked.by.rawValue, at: 4)
    try insert.bind(rememberFrom.milliseconds, at: 5)
    try insert.bind(seq, at: 6)
    if let id = revoked.eventID { try insert.bind(id, at: 7) } else { try insert.bindNull(at: 7) }
    try insert.run()
    tally.lastRevocation += 1
    tally.revocations += 1
    revocations.add(key, seq: tally.lastRevocation)
  }

  /// Monotonic: an order that came later in the queue, but was given earlier, changes nothing.
  private mutating func cutOff(_ cutOff: CutOff, seq: Int64) throws {
    try db.run(
      """
      INSERT INTO cutoff (seq, kind, id, before, expires_at, event_seq) VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT (kind, id) DO UPDATE SET
        seq = excluded.seq, before = excluded.before, event_seq = excluded.event_seq,
        expires_at = max(expires_at, excluded.expires_at)
      WHERE excluded.before > before
      """, tally.lastRevocation + 1, cutOff.kind.rawValue, cutOff.id.uuidText, cutOff.before.milliseconds,
      store.retention.expiresAt(rememberedFrom: cutOff.before, at: cutOff.before).milliseconds, seq)
    guard db.changes > 0 else { return }
    tally.lastRevocation += 1
    cutOffs.append(cutOff)
  }
}

extension IndexKey {
  init(_ session: SessionID) { self.init(session.bigEndianWords) }

  init(_ key: EventKey) { self.init(key.bigEndianWords) }
}
