package import DynamicEvents
internal import Foundation
internal import GRDB
internal import GRDBSQLite
internal import Synchronization

/// Answers who is revoked over a connection of its own, without a hop to another queue: a look-up of who is not costs no read at all, mostly. Not
/// `Sendable`: one per loop.
///
/// Look-ups of one round share a snapshot. It is renewed as soon as anything was committed here since, so that a look-up that begins after a delivery
/// was answered sees it; and it is let go at the round's end, so that the next round sees what another process committed, and because a snapshot that
/// is kept keeps the log from being folded into the database.
@safe package final class LookUpReader {
  /// Recovery after another process died is all that ever makes a reader wait, and a loop must not wait for long.
  private static let patience: Int32 = 50
  /// In KiB. The inner pages of the table of blocks stay in it up to ten million sessions, though leaves pass through: a look-up of one that is
  /// revoked reads one block, mostly.
  private static let cache = 6000
  /// Each further try has been overtaken by a commit, which takes far longer than a try.
  private static let tries = 100

  private let store: RevocationStore
  // The connection and its statements: made by `open`, freed by `close`, used on the owner's queue only.
  private var connection: OpaquePointer?
  private var begin: OpaquePointer?
  private var end: OpaquePointer?
  private var last: OpaquePointer?
  private var block: OpaquePointer?
  private var uncovered: OpaquePointer?
  private var select: OpaquePointer?
  private var newCutOffs: OpaquePointer?
  private var isInSnapshot = false
  /// Counts the commits that the snapshot is known to have.
  private var commits: UInt64 = 0
  /// The newest number that the snapshot has.
  private var lastNumber: Int64 = 0

  package init(_ store: RevocationStore) {
    self.store = store
  }

  deinit { close() }

  /// Lends `use` when the session was revoked, by whom, and by which event, whose id is empty if there is none; nil when it was not.
  package func revocation<Answer>(
    of session: SessionID, _ use: (_ revokedAt: Timestamp, _ by: RevokedBy, _ eventID: Span<UInt8>) -> Answer
  ) throws(StoreError) -> Answer? {
    try answer([session]) { places throws(Interruption) in
      defer { _ = unsafe sqlite3_reset(select) }
      guard try find(session, places[0]) else { return nil }
      guard let by = unsafe RevokedBy(name: text(1).span) else {
        throw .store(failure(SQLITE_CORRUPT, "a revocation is by nobody known"))
      }
      return use(Timestamp(milliseconds: unsafe sqlite3_column_int64(select, 0)), by, unsafe text(2).span)
    }
  }

  /// Those of the sessions that are revoked, in the order asked, all as of one moment.
  package func revoked(of sessions: [SessionID]) throws(StoreError) -> [SessionID] {
    try answer(sessions) { places throws(Interruption) in
      var revoked: [SessionID] = []
      for (session, places) in zip(sessions, places) where try isRevoked(session, places) { revoked.append(session) }
      return revoked
    }
  }

  /// What is known of each of the tokens, in the order asked, all as of one moment.
  package func standings(of tokens: [TokenClaims], at now: Timestamp) throws(StoreError) -> [TokenStanding] {
    let sessions = tokens.flatMap { [$0.sid, $0.originalSid ?? $0.sid] }
    return try answer(sessions) { places throws(Interruption) in
      var standings: [TokenStanding] = []
      for (index, token) in tokens.enumerated() {
        if try isRevoked(token.sid, places[2 * index]) {
          standings.append(.revoked)
        } else if let original = token.originalSid, try isRevoked(original, places[2 * index + 1]) {
          standings.append(.revoked)
        } else {
          standings.append(store.cutOffs.refuses(token, at: now) ? .cutOff : .good)
        }
      }
      return standings
    }
  }

  /// What is known of a request that presents all of these tokens: one that is refused refuses it.
  package func standing(of tokens: [TokenClaims], at now: Timestamp) throws(StoreError) -> TokenStanding {
    var sessions: [SessionID] = []
    for token in tokens {
      sessions.append(token.sid)
      if let original = token.originalSid { sessions.append(original) }
    }
    return try answer(sessions) { places throws(Interruption) in
      for (session, places) in zip(sessions, places) where try isRevoked(session, places) { return .revoked }
      return tokens.contains { store.cutOffs.refuses($0, at: now) } ? .cutOff : .good
    }
  }

  /// Lets the snapshot go.
  package func roundEnded() {
    guard isInSnapshot else { return }
    isInSnapshot = false
    // A reader's COMMIT writes nothing; should it fail all the same, a new connection has no snapshot.
    if unsafe sqlite3_step(end) != SQLITE_DONE { return close() }
    _ = unsafe sqlite3_reset(end)
  }

  private enum Interruption: Error {
    /// The snapshot is older than what the index said.
    case outdated
    case store(StoreError)
  }

  /// Has the index say where the sessions are, and then takes a snapshot that the index is complete for.
  ///
  /// In this order a commit in between is in the snapshot, and what it moved to other numbers shows by these being beyond what the index
  /// covered. The other way round a session could be found at a place that the snapshot does not have yet.
  private func answer<Answer>(
    _ sessions: [SessionID], _ body: ([KeyPlaces]) throws(Interruption) -> Answer
  ) throws(StoreError) -> Answer {
    for attempt in 0..<Self.tries {
      let places = sessions.map { store.revocations.places(of: IndexKey($0)) }
      try snapshot()
      let covered = places.map(\.covered).min() ?? .max
      if covered < lastNumber {
        // A commit of this process is covered in a moment; one of another never, unless by us.
        if attempt > 0 { try cover() }
        continue
      }
      do throws(Interruption) {
        return try body(places)
      } catch {
        switch error {
        case .outdated: roundEnded()
        case .store(let error): throw error
        }
      }
    }
    throw failure(SQLITE_CORRUPT, "the index of revocations has no end of changes, or lacks a block")
  }

  private func snapshot() throws(StoreError) {
    // Read first: a commit in between is seen by the snapshot and makes it look old, never the other way round. SQLite takes the snapshot at the
    // first read behind BEGIN.
    let now = store.commits.load(ordering: .acquiring)
    if isInSnapshot, now == commits { return }
    roundEnded()
    if unsafe connection == nil {
      // What is there is to be ours before it is opened, and still when it was.
      try store.checkFiles()
      try open()
    }
    try store.checkFiles()
    guard unsafe sqlite3_step(begin) == SQLITE_DONE else { throw failure() }
    _ = unsafe sqlite3_reset(begin)
    isInSnapshot = true
    commits = now
    defer { _ = unsafe sqlite3_reset(last) }
    guard unsafe sqlite3_step(last) == SQLITE_ROW else { throw failure() }
    lastNumber = unsafe sqlite3_column_int64(last, 0)
    if store.cutOffs.covered < lastNumber { try coverCutOffs() }
  }

  /// Has the cut-offs in memory be as new as the snapshot: another process may have committed one, and so may this one just
  /// now.
  private func coverCutOffs() throws(StoreError) {
    defer { _ = unsafe sqlite3_reset(newCutOffs) }
    guard unsafe sqlite3_bind_int64(newCutOffs, 1, store.cutOffs.covered) == SQLITE_OK else { throw failure() }
    var found: [CutOff] = []
    while true {
      switch unsafe sqlite3_step(newCutOffs) {
      case SQLITE_ROW: break
      case SQLITE_DONE:
        if !found.isEmpty { store.cutOffs.insert(found) }
        return store.cutOffs.cover(upTo: lastNumber)
      default: throw failure()
      }
      guard let cutOff = unsafe CutOff(PreparedStatement.Row(newCutOffs)) else {
        throw failure(SQLITE_CORRUPT, "a cut-off is malformed")
      }
      found.append(cutOff)
    }
  }

  /// Has the index cover what the snapshot has.
  private func cover() throws(StoreError) {
    defer { _ = unsafe sqlite3_reset(uncovered) }
    guard unsafe sqlite3_bind_int64(uncovered, 1, store.revocations.covered) == SQLITE_OK else { throw failure() }
    var rows: [(key: IndexKey, value: Int64)] = []
    while true {
      switch unsafe sqlite3_step(uncovered) {
      case SQLITE_ROW: break
      case SQLITE_DONE:
        // Counted, so that no other loop looks in an older snapshot for what is found by this.
        store.commits.wrappingAdd(1, ordering: .releasing)
        return store.revocations.cover(rows, through: lastNumber)
      default: throw failure()
      }
      guard let key = unsafe PreparedStatement.Row(uncovered).bytes(1, IndexKey.init(bytes:)) else {
        throw failure(SQLITE_CORRUPT, "a session is malformed")
      }
      rows.append((key, unsafe sqlite3_column_int64(uncovered, 0)))
    }
  }

  private func isRevoked(_ session: SessionID, _ places: KeyPlaces) throws(Interruption) -> Bool {
    defer { _ = unsafe sqlite3_reset(select) }
    return try find(session, places)
  }

  /// If so, `select` stands on the row. It must be reset before the round ends: a read under way keeps the snapshot beyond COMMIT, and the next
  /// BEGIN would go on with it.
  private func find(_ session: SessionID, _ places: KeyPlaces) throws(Interruption) -> Bool {
    var places = places
    while let seq = try next(&places) {
      if try isRow(seq, session) { return true }
    }
    return false
  }

  private func isRow(_ seq: Int64, _ session: SessionID) throws(Interruption) -> Bool {
    _ = unsafe sqlite3_reset(select)
    // Lent for as long as the statement runs: who steps again has bound something else by then.
    let result = unsafe withUnsafeBytes(of: session.bigEndianWords) { bytes in
      let bound = unsafe sqlite3_bind_blob(select, 2, bytes.baseAddress, Int32(bytes.count), nil)
      guard bound == SQLITE_OK, unsafe sqlite3_bind_int64(select, 1, seq) == SQLITE_OK else { return SQLITE_ERROR }
      return unsafe sqlite3_step(select)
    }
    switch result {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    default: throw .store(failure())
    }
  }

  private func next(_ places: inout KeyPlaces) throws(Interruption) -> Int64? {
    do throws(BlockError) {
      return try unsafe places.next(BlockStatement(block))
    } catch {
      switch error {
      case .missing: throw .outdated
      case .malformed: throw .store(failure(SQLITE_CORRUPT, error.databaseError.message))
      case .failed: throw .store(failure())
      }
    }
  }

  /// Valid until the statement moves on. Empty for NULL.
  private func text(_ column: Int32) -> UnsafeBufferPointer<UInt8> {
    // In this order: the count is of the text as it was asked for last.
    let text = unsafe sqlite3_column_text(select, column)
    return unsafe UnsafeBufferPointer(start: text, count: Int(sqlite3_column_bytes(select, column)))
  }

  private func open() throws(StoreError) {
    var opened: OpaquePointer?
    // NOMUTEX: the owner's queue is the only one that uses it. The string lives for the call.
    let code = unsafe sqlite3_open_v2(store.path, &opened, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nil)
    unsafe connection = opened
    guard code == SQLITE_OK else { throw failure(code) }
    _ = unsafe sqlite3_busy_timeout(connection, Self.patience)
    guard unsafe sqlite3_exec(connection, "PRAGMA cache_size = -\(Self.cache)", nil, nil, nil) == SQLITE_OK else {
      throw failure()
    }
    unsafe begin = try prepare("BEGIN")
    unsafe end = try prepare("COMMIT")
    unsafe last = try prepare("SELECT last_revocation FROM tally")
    unsafe block = try prepare(BlockStatement.sql)
    unsafe uncovered = try prepare("SELECT seq, session FROM revocation WHERE seq > ? ORDER BY seq")
    unsafe newCutOffs = try prepare(CutOff.select + " WHERE seq > ?")
    unsafe select = try prepare(
      "SELECT revoked_at, revoked_by, event_id FROM revocation WHERE seq = ? AND session = ?")
  }

  private func prepare(_ sql: String) throws(StoreError) -> OpaquePointer? {
    var statement: OpaquePointer?
    // Kept for the connection's life. The string lives for the call.
    guard
      unsafe sqlite3_prepare_v3(connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil) == SQLITE_OK
    else { throw failure() }
    return unsafe statement
  }

  /// What SQLite says of the call that failed. The connection is given up: whatever state it is in, the next look-up begins with a new one.
  private func failure(_ code: Int32? = nil, _ cause: String? = nil) -> StoreError {
    let result = unsafe code ?? sqlite3_extended_errcode(connection)
    let message = unsafe cause ?? connection.map { unsafe String(cString: sqlite3_errmsg($0)) }
    close()
    let error = StoreError(DatabaseError(resultCode: ResultCode(rawValue: result), message: message), path: store.path)
    store.health.readFailed(error)
    return error
  }

  private func close() {
    isInSnapshot = false
    _ = unsafe (sqlite3_finalize(begin), sqlite3_finalize(end), sqlite3_finalize(last))
    _ = unsafe (sqlite3_finalize(block), sqlite3_finalize(uncovered), sqlite3_finalize(select))
    _ = unsafe sqlite3_finalize(newCutOffs)
    unsafe (begin, end, last, block, uncovered, select, newCutOffs) = (nil, nil, nil, nil, nil, nil, nil)
    _ = unsafe sqlite3_close(connection)
    unsafe connection = nil
  }
}
