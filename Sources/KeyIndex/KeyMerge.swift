internal import SQLite

/// Walks through a run's entries.
struct KeyCursor {
  private let run: KeyRun
  private var nextBlock = 0
  private var entries: [IndexEntry] = []
  private var position = 0

  init(_ run: KeyRun) {
    self.run = run
  }

  mutating func peek(_ blocks: BlockReader) throws(KeyIndexError) -> IndexEntry? {
    while position == entries.count {
      guard nextBlock < run.fences.count else { return nil }
      let id = BlockID.of(run: run.id, number: nextBlock)
      entries = try blocks.read(id) { bytes, checksum throws(KeyIndexError) in
        try KeyBlock.entries(bytes, id: id, checksum: checksum)
      }
      nextBlock += 1
      position = 0
    }
    return entries[position]
  }

  mutating func advance() { position += 1 }
}

/// Some runs of one level on their way into one of the next, a few entries at a time. What rows are gone for is left
/// out.
final class KeyMerge {
  let level: Int
  let sources: [KeyRun]
  private var cursors: [KeyCursor]
  private var run: KeyRunBuilder
  /// Below this number there are only the stragglers' rows: events that are still needed, among many that are gone.
  private let floor: Int64
  private let stragglers: Set<Int64>

  /// Returns nil where a run would have more blocks than can be told apart.
  init?(_ sources: [KeyRun], of table: IndexedTable, level: Int, _ db: Connection) throws {
    let blocks = sources.reduce(0) { $0 + $1.fences.count }
    guard blocks < BlockID.most else { return nil }
    self.level = level
    self.sources = sources
    cursors = sources.map(KeyCursor.init)
    let first = try db.all("SELECT seq FROM \(table.name) ORDER BY seq LIMIT 1000") { row in try row.integer(0) }
    floor = first.last ?? .max
    stragglers = Set(first)
    run = try KeyRunBuilder(
      of: table, level: level + 1, after: sources.first?.after ?? 0, lastSeq: sources.last?.lastSeq ?? 0,
      keys: blocks * KeyBlock.capacity, db)
  }

  /// Returns the run once it is whole.
  func advance(by count: Int, _ db: Connection) throws -> KeyRun? {
    let blocks = try BlockReader(db)
    for _ in 0..<count {
      guard let entry = try next(blocks) else { return try finish(db) }
      if entry.seq >= floor || stragglers.contains(entry.seq) { try run.append(entry, db) }
    }
    return nil
  }

  private func finish(_ db: Connection) throws -> KeyRun {
    for source in sources { try db.run("UPDATE key_run SET fences = NULL, filter = NULL WHERE id = ?", source.id) }
    return try run.finish(db)
  }

  private func next(_ blocks: BlockReader) throws(KeyIndexError) -> IndexEntry? {
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

/// Writes a run, block by block. Until it is finished the run is an abandoned one, so that nothing is left over after a
/// crash.
struct KeyRunBuilder {
  /// A look-up asks all runs alike, so certainty is bought where it is cheap: for the small ones. From the fourth level
  /// on they hold nearly all keys, and each bit is a megabyte of memory for eight million.
  private static func bitsPerKey(level: Int) -> Int { level < 4 ? 16 - 2 * level : 6 }

  let id: Int64
  private let level: Int
  private let after: Int64
  private let lastSeq: Int64
  private var pending: [IndexEntry] = []
  private var fences: [UInt64] = []
  private var filter: KeyFilter

  /// - Parameter keys: how many there will be at most.
  init(
    of table: IndexedTable, level: Int, after: Int64, lastSeq: Int64, keys: Int, _ db: Connection
  ) throws {
    self.level = level
    self.after = after
    self.lastSeq = lastSeq
    filter = KeyFilter(keys: keys, bitsPerKey: Self.bitsPerKey(level: level))
    try db.run(
      "INSERT INTO key_run (indexed, level, after_seq, last_seq) VALUES (?, ?, ?, ?)", table.name, level, after, lastSeq
    )
    id = db.lastInsertedRowID
  }

  /// In the order of the hashes.
  mutating func append(_ entry: IndexEntry, _ db: Connection) throws {
    filter.insert(entry.hash)
    pending.append(entry)
    if pending.count == KeyBlock.capacity { try writeBlock(db) }
  }

  mutating func finish(_ db: Connection) throws -> KeyRun {
    if !pending.isEmpty { try writeBlock(db) }
    let (fenceBytes, filterBytes) = (LittleEndianWords.bytes(fences), LittleEndianWords.bytes(filter.words))
    let checksum = KeyRun.checksum([id, Int64(level), after, lastSeq], fenceBytes.span, filterBytes.span)
    try db.run(
      "UPDATE key_run SET fences = ?, filter = ?, checksum = ? WHERE id = ?", fenceBytes, filterBytes,
      Int64(bitPattern: checksum), id)
    return KeyRun(id: id, level: level, after: after, lastSeq: lastSeq, fences: fences, filter: filter)
  }

  private mutating func writeBlock(_ db: Connection) throws {
    let block = BlockID.of(run: id, number: fences.count)
    let bytes = KeyBlock.bytes(pending)
    let checksum = KeyBlock.checksum(bytes.span, id: block)
    try db.run(
      "INSERT INTO key_block (id, entries, checksum) VALUES (?, ?, ?)", block, bytes, Int64(bitPattern: checksum))
    fences.append(pending[0].hash)
    pending.removeAll(keepingCapacity: true)
  }
}
