internal import GRDB

/// Some runs of one level on their way into one of the next, a few entries at a time. What rows are gone for is left out.
final class KeyMerge {
  let level: Int
  let sources: [KeyRun]
  private var cursors: [KeyCursor]
  private var run: KeyRunBuilder
  /// Below this number there are only the stragglers' rows: events that somebody still looks at, among many that are gone.
  private let floor: Int64
  private let stragglers: Set<Int64>

  /// `nil` where a run would have more blocks than can be told apart.
  init?(_ sources: [KeyRun], of table: IndexedTable, level: Int, _ db: Database) throws {
    let blocks = sources.reduce(0) { $0 + $1.fences.count }
    guard blocks < BlockID.most else { return nil }
    self.level = level
    self.sources = sources
    cursors = sources.map(KeyCursor.init)
    let first = try Int64.fetchAll(db, sql: "SELECT seq FROM \(table.rawValue) ORDER BY seq LIMIT 1000")
    floor = first.last ?? .max
    stragglers = Set(first)
    run = try KeyRunBuilder(
      of: table, level: level + 1, lastSeq: sources.map(\.lastSeq).max() ?? 0,
      keys: blocks * KeyBlock.capacity, db)
  }

  /// Answers the run once it is whole.
  func advance(by count: Int, _ db: Database) throws -> KeyRun? {
    let blocks = try BlockStatement(db)
    for _ in 0..<count {
      guard let entry = try next(blocks) else { return try finish(db) }
      if entry.seq >= floor || stragglers.contains(entry.seq) { try run.append(entry, db) }
    }
    return nil
  }

  private func finish(_ db: Database) throws -> KeyRun {
    for source in sources {
      try db.cachedStatement(sql: "UPDATE key_run SET fences = NULL, filter = NULL WHERE id = ?")
        .execute(arguments: [source.id])
    }
    return try run.finish(db)
  }

  private func next(_ blocks: BlockStatement) throws -> IndexEntry? {
    var least: (entry: IndexEntry, cursor: Int)?
    for index in cursors.indices {
      guard let entry = try cursors[index].peek(blocks) else { continue }
      if let least, least.entry.hash <= entry.hash { continue }
      least = (entry, index)
    }
    guard let least else { return nil }
    cursors[least.cursor].advance()
    return least.entry
  }
}
