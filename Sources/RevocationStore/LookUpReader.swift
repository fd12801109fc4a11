package import DynamicEvents
internal import KeyIndex
internal import SQLite
package import Storage
internal import Synchronization

/// Looks up which sessions are revoked, over a connection of its own and without a hop to another queue. A session that
/// is not revoked mostly costs no read. Not `Sendable`: one per loop.
///
/// Look-ups of one round share a snapshot. It is renewed as soon as anything was committed here since, so that a
/// look-up that begins after a delivery was answered sees it; and it is let go at the round's end, so that the next
/// round sees what another process committed, and because a snapshot that is kept keeps the log from being folded into
/// the database.
package final class LookUpReader: InlineLookUps {
  /// Recovery after another process died is all that ever makes a reader wait, and a loop must not wait for long.
  private static let patience: CInt = 50
  /// In KiB. The inner pages of the tables stay in it up to ten million sessions, though leaves pass through: a look-up
  /// of one that is revoked reads a block and a row.
  private static let cache = 6000
  /// Each further try has been overtaken by a commit, which takes far longer than a try.
  private static let tries = 100

  private let store: RevocationStore
  private var open: Open?
  private var isInSnapshot = false
  /// Counts the commits that the snapshot is known to have.
  private var commits: UInt64 = 0
  /// The newest number that the snapshot has.
  private var lastNumber: Int64 = 0

  package init(_ store: RevocationStore) {
    self.store = store
  }

  package func revocation<Answer>(
    of session: SessionID, _ use: (_ revokedAt: Timestamp, _ by: RevokedBy, _ eventID: Span<UInt8>) -> Answer
  ) throws(StoreError) -> Answer? {
    try answer(session) { open, places in
      defer { open.select.reset() }
      guard try open.find(session, places) else { return nil }
      let row = open.select.row
      let (revokedAt, by) = try (Timestamp(milliseconds: row.number(0)), RevokedBy(row, 1))
      return row.lend(2) { use(revokedAt, by, $0) } ?? use(revokedAt, by, Span())
    }
  }

  /// The number of the event by which the session was revoked; nil when it was not.
  func event(of session: SessionID) throws(StoreError) -> Int64? {
    try answer(session) { open, places in
      defer { open.select.reset() }
      return try open.find(session, places) ? open.select.row.integer(3) : nil
    }
  }

  package func revoked(of sessions: [SessionID]) throws(StoreError) -> [SessionID] {
    try answer(sessions) { open, places in
      var revoked: [SessionID] = []
      for (session, places) in zip(sessions, places) where try open.isRevoked(session, places) {
        revoked.append(session)
      }
      return revoked
    }
  }

  package func standings(of tokens: [TokenClaims], at now: Timestamp) throws(StoreError) -> [TokenStanding] {
    let sessions = tokens.flatMap { [$0.sid, $0.originalSid ?? $0.sid] }
    return try answer(sessions) { open, places in
      var standings: [TokenStanding] = []
      for (index, token) in tokens.enumerated() {
        if try open.isRevoked(token.sid, places[2 * index]) {
          standings.append(.revoked)
        } else if let original = token.originalSid, try open.isRevoked(original, places[2 * index + 1]) {
          standings.append(.revoked)
        } else {
          standings.append(store.cutOffs.refuses(token, at: now) ? .cutOff : .good)
        }
      }
      return standings
    }
  }

  package func standing(of tokens: [TokenClaims], at now: Timestamp) throws(StoreError) -> TokenStanding {
    if tokens.count == 1, tokens[0].originalSid == nil {
      // Nearly every request, and without an array.
      let session = tokens[0].sid
      return try answer(session) { open, places in
        if try open.isRevoked(session, places) { return .revoked }
        return store.cutOffs.refuses(tokens[0], at: now) ? .cutOff : .good
      }
    }
    var sessions: [SessionID] = []
    for token in tokens {
      sessions.append(token.sid)
      if let original = token.originalSid { sessions.append(original) }
    }
    return try answer(sessions) { open, places in
      for (session, places) in zip(sessions, places) where try open.isRevoked(session, places) { return .revoked }
      return tokens.contains { store.cutOffs.refuses($0, at: now) } ? .cutOff : .good
    }
  }

  /// Lets the snapshot go.
  package func roundEnded() {
    guard isInSnapshot else { return }
    isInSnapshot = false
    // A reader's COMMIT writes nothing; should it fail all the same, a new connection has no snapshot.
    do { try open?.end.run() } catch { close() }
  }

  /// Has the index say where the sessions are, and then takes a snapshot that the index is complete for.
  ///
  /// In this order a commit in between is in the snapshot, and what it moved to other numbers shows by these being
  /// beyond what the index covered. The other way round a session could be found at a place that the snapshot does not
  /// have yet.
  ///
  /// - Parameters:
  ///   - ask: returns what the index says, and up to which number it is complete.
  ///   - body: looks there.
  private func answer<Places, Answer>(
    _ ask: (KeyIndex) -> (Places, covered: Int64), _ body: (Open, Places) throws -> Answer
  ) throws(StoreError) -> Answer {
    guard let index = store.indexes?.revocations else { throw .readOnly(path: store.path) }
    var missing: Int64?
    for attempt in 0..<Self.tries {
      let (places, covered) = ask(index)
      // Behind the question: an index that is being built says less than it seems.
      try store.checkIndexes()
      do {
        let open = try snapshot()
        if covered < lastNumber {
          // A commit of this process is covered in a moment; one of another never, unless by us.
          if attempt > 0 { try cover(index, open) }
          continue
        }
        return try body(open, places)
      } catch KeyIndexError.missing(let run) where !has(run) {
        // The snapshot is older than what the index said.
        missing = run
        roundEnded()
      } catch {
        throw failed(error)
      }
    }
    // Maybe not damage: the next one begins anew.
    if let missing { store.search(for: missing) }
    throw .overtaken(path: store.path)
  }

  /// Without the arrays that several sessions take.
  private func answer<Answer>(
    _ session: SessionID, _ body: (Open, KeyPlaces) throws -> Answer
  ) throws(StoreError) -> Answer {
    try answer { index in
      let places = index.places(of: IndexKey(session))
      return (places, places.covered)
    } _: { open, places in
      try body(open, places)
    }
  }

  private func answer<Answer>(
    _ sessions: [SessionID], _ body: (Open, [KeyPlaces]) throws -> Answer
  ) throws(StoreError) -> Answer {
    try answer { index in
      let places = sessions.map { index.places(of: IndexKey($0)) }
      return (places, places.map(\.covered).min() ?? .max)
    } _: { open, places in
      try body(open, places)
    }
  }

  private func snapshot() throws -> Open {
    // Read first: a commit in between is seen by the snapshot and makes it look old, never the other way round. SQLite
    // takes the snapshot at the first read behind BEGIN.
    let now = store.commits.load(ordering: .acquiring)
    if let open, isInSnapshot, now == commits { return open }
    roundEnded()
    // What is there is to be ours before it is opened, and still when it was.
    try store.checkIsReliable()
    let open = try self.open ?? Open(store.path, patience: Self.patience, cache: Self.cache)
    if self.open == nil { try store.checkIsReliable() }
    self.open = open
    try open.begin.run()
    isInSnapshot = true
    commits = now
    defer { open.last.reset() }
    guard try open.last.step() else { throw SQLiteError.corrupt("the table of counts is empty") }
    lastNumber = open.last.row.number(0)
    if store.cutOffs.covered < lastNumber { try coverCutOffs(open) }
    return open
  }

  /// Has the cut-offs in memory be as new as the snapshot: another process may have committed one, and so may this one
  /// just now.
  private func coverCutOffs(_ open: Open) throws {
    let found = try open.db.all("\(CutOff.select) WHERE seq > ?", store.cutOffs.covered) { row in try CutOff(row) }
    if !found.isEmpty { store.cutOffs.insert(found) }
    store.cutOffs.cover(upTo: lastNumber)
  }

  /// Has the index cover what the snapshot has.
  private func cover(_ index: KeyIndex, _ open: Open) throws {
    let rows = try index.uncovered(open.db)
    // Counted, so that no other loop looks in an older snapshot for what is found by this.
    store.commits.wrappingAdd(1, ordering: .releasing)
    index.cover(rows, through: lastNumber)
  }

  /// Whether the snapshot has that run, so that it must have its blocks.
  private func has(_ run: Int64) -> Bool {
    let known = try? open?.db.first("SELECT 1 FROM key_run WHERE id = ? AND filter IS NOT NULL", run) { _ in true }
    return (known ?? nil) == true
  }

  /// The connection is given up: whatever state it is in, the next look-up begins with a new one.
  private func failed(_ error: any Error) -> StoreError {
    close()
    if let error = error as? KeyIndexError { return store.indexFailed(error) }
    let error = StoreError(error, path: store.path)
    store.health.readFailed(error)
    return error
  }

  private func close() {
    isInSnapshot = false
    open?.db.close()
    open = nil
  }
}

/// The connection and its statements.
private final class Open {
  let db: Connection
  let begin: Statement
  let end: Statement
  let last: Statement
  let select: Statement
  private let blocks: BlockReader

  init(_ path: String, patience: CInt, cache: Int) throws {
    db = try Connection(path, .readOnly, waiting: .atMost(milliseconds: patience))
    try db.execute("PRAGMA cache_size = -\(cache)")
    begin = try db.statement("BEGIN")
    end = try db.statement("COMMIT")
    last = try db.statement("SELECT last_revocation FROM tally")
    select = try db.statement(
      "SELECT revoked_at, revoked_by, event_id, event_seq FROM revocation WHERE seq = ? AND session = ?")
    blocks = try BlockReader(db)
  }

  func isRevoked(_ session: SessionID, _ places: KeyPlaces) throws -> Bool {
    defer { select.reset() }
    return try find(session, places)
  }

  /// If so, `select` stands on the row. It must be reset before the round ends: a read under way keeps the snapshot
  /// beyond COMMIT, and the next BEGIN would go on with it.
  func find(_ session: SessionID, _ places: KeyPlaces) throws -> Bool {
    var places = places
    while let seq = try places.next(blocks) {
      select.reset()
      try select.bind(seq, at: 1)
      try select.bind(session.bigEndianWords, at: 2)
      if try select.step() { return true }
    }
    return false
  }
}
