internal import KeyIndex
internal import SQLite
package import Storage
internal import Synchronization

extension RevocationStore {
  /// Has SQLite check its pages, counts the rows, and asks the index for every key. A server may be writing meanwhile:
  /// each stage is as of one moment, and the server's log grows until it is over.
  ///
  /// - Parameter progress: called now and then with the stage, how many rows of it were looked at, and how many there
  ///   are.
  /// - Returns: what is wrong, a line each; nothing if the store is whole.
  package func findFaults(
    progress: (_ stage: StoreStage, _ done: Int, _ total: Int) -> Void
  ) throws(StoreError) -> [String] {
    var faults: [String] = []
    progress(.pages, 0, 1)
    faults += try collect { db in
      try db.all("PRAGMA integrity_check(20)") { row in try row.text(0) }.filter { $0 != "ok" }
    }
    progress(.counts, 0, 1)
    faults += try collect(Self.findWrongCounts)
    for (stage, table) in [(StoreStage.events, IndexedTable.event), (.revocations, .revocation)] {
      faults += try collect { db in
        let tally = try Tally.fetch(db)
        let (last, rows) =
          stage == .events ? (tally.lastEvent, tally.events) : (tally.lastRevocation, tally.revocations)
        return try KeyIndex.load(table, last: last, db).findFaults(db) { progress(stage, $0, rows) }
      }
    }
    return faults
  }

  /// What cannot be read is a fault like others, and what follows may still be whole.
  private func collect(_ body: (Connection) throws -> [String]) throws(StoreError) -> [String] {
    try read { db in
      do {
        return try body(db)
      } catch let error as SQLiteError where error.kind == .corrupt || error.kind == .noSuchThing {
        return [error.message]
      } catch let error as KeyIndexError {
        guard case .failed(let error) = error else { return [error.text] }
        throw error
      }
    }
  }

  private static func findWrongCounts(_ db: Connection) throws -> [String] {
    try db.all(
      """
      WITH count (name, said, found) AS (
        SELECT 'events', events, (SELECT count(*) FROM event) FROM tally
        UNION ALL SELECT 'revocations', revocations, (SELECT count(*) FROM revocation) FROM tally
        UNION ALL SELECT 'undecodable events', undecodable,
          (SELECT count(*) FROM event WHERE problem IS NOT NULL) FROM tally
        UNION ALL SELECT 'retries of handler ' || name, retrying,
          (SELECT count(*) FROM delivery WHERE handler_id = handler.id AND next_at IS NOT NULL) FROM handler
        UNION ALL SELECT 'dead deliveries of handler ' || name, dead,
          (SELECT count(*) FROM delivery WHERE handler_id = handler.id AND next_at IS NULL) FROM handler
        UNION ALL SELECT 'deliveries of no handler', 0,
          (SELECT count(*) FROM delivery WHERE handler_id NOT IN (SELECT id FROM handler))
        UNION ALL SELECT 'events given out', last_event, max(last_event, (\(lastEventInUse))) FROM tally
        UNION ALL SELECT 'numbers of the feed given out', last_revocation,
          max(last_revocation, (\(lastRevocationInUse))) FROM tally
      )
      SELECT name, said, found FROM count WHERE said <> found
      """
    ) { row in try "\(row.text(0)): \(row.integer(1)) noted, \(row.integer(2)) found" }
  }

  /// A number that is given out a second time would be taken for one that was delivered, or read.
  private static let lastEventInUse =
    "SELECT max(coalesce((SELECT max(seq) FROM event), 0), coalesce((SELECT max(position) FROM handler), 0))"
  private static let lastRevocationInUse =
    "SELECT max(coalesce((SELECT max(seq) FROM revocation), 0), coalesce((SELECT max(seq) FROM cutoff), 0))"

  /// Makes everything anew that follows from the rows: SQLite's indexes, the counts, and both key indexes. Only with
  /// `.repair`.
  ///
  /// A kill costs no more than the step under way: the next server finds an index that lacks rows, and extends it.
  /// - Parameter progress: called with the stage, how much of it is done, and the whole.
  /// - Returns: how many rows the indexes have.
  package func rebuild(progress: (_ stage: StoreStage, _ done: Int, _ total: Int) -> Void) throws(StoreError) -> Int {
    guard mode == .repair, let indexes else { throw .readOnly(path: path) }
    indexes.progress.withLock { $0.stage = .rebuilding(percent: 0) }
    indexes.isWhole.store(false, ordering: .releasing)
    progress(.counts, 0, 1)
    try write { db in
      // SQLite throws away each index, whatever is in it.
      try db.execute("REINDEX")
      try db.execute(
        """
        UPDATE tally SET
          last_event = max(last_event, (\(Self.lastEventInUse))),
          last_revocation = max(last_revocation, (\(Self.lastRevocationInUse))),
          events = (SELECT count(*) FROM event), revocations = (SELECT count(*) FROM revocation),
          undecodable = (SELECT count(*) FROM event WHERE problem IS NOT NULL);
        DELETE FROM delivery WHERE handler_id NOT IN (SELECT id FROM handler);
        UPDATE handler SET
          retrying = (SELECT count(*) FROM delivery WHERE handler_id = handler.id AND next_at IS NOT NULL),
          dead = (SELECT count(*) FROM delivery WHERE handler_id = handler.id AND next_at IS NULL);
        """)
    }
    progress(.index, 0, 100)
    try clearIndexes()
    let rows = try extendIndexes { percent in
      progress(.index, percent, 100)
      return true
    }
    return rows ?? 0
  }
}
