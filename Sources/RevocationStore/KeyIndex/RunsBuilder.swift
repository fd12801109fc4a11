internal import GRDB

/// Writes the runs of a table that has rows already, in the order of their numbers: about those that there would be by now.
struct RunsBuilder<Entry: IndexEntry> {
  /// What is sorted in memory at once, and becomes a run of the second level, which has about as many: up to 17 megabytes.
  static var usualChunk: Int { 1 << 18 }

  private let chunk: Int
  private var entries: [Entry] = []
  private var runs: [KeyRun<Entry>] = []

  init(chunk: Int = Self.usualChunk) {
    self.chunk = chunk
  }

  mutating func append(_ entry: Entry, _ db: Database) throws {
    entries.append(entry)
    guard entries.count == chunk else { return }
    try runs.append(write(level: 2, db))
    try merge(db)
  }

  mutating func finish(_ db: Database) throws {
    if !entries.isEmpty { _ = try write(level: 0, db) }
  }

  private mutating func write(level: Int, _ db: Database) throws -> KeyRun<Entry> {
    defer { entries.removeAll(keepingCapacity: true) }
    let lastSeq = entries.last?.seq ?? 0
    return try KeyRun.write(&entries, level: level, lastSeq: lastSeq, db)
  }

  private mutating func merge(_ db: Database) throws {
    let fanout = KeyIndexLimits().fanout
    while let level = runs.last?.level, case let sources = runs.filter({ $0.level == level }), sources.count == fanout,
      let merge = try KeyMerge(sources, level: level, db), let merged = try merge.advance(by: .max, db)
    {
      for source in sources { _ = try KeyRun<Entry>.delete(abandoned: source.id, blocks: .max, db) }
      runs.removeLast(fanout)
      runs.append(merged)
    }
  }
}
