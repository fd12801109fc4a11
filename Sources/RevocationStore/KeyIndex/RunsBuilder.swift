internal import GRDB

/// Writes the runs of a table that has rows already, in the order of their numbers: about those that there would be by now.
struct RunsBuilder<Entry: IndexEntry> {
  /// What is sorted in memory at once, and becomes a run of the second level, which has about as many: up to 17 megabytes.
  static var usualChunk: Int { 1 << 18 }

  private let chunk: Int
  private var entries: [Entry] = []
  private var runs: [KeyRun<Entry>] = []

  static func writeAll(_ db: Database, chunk: Int = usualChunk) throws {
    var builder = RunsBuilder(chunk: chunk)
    try Entry.forEach(after: 0, db) { try builder.append($0, db) }
    try builder.finish(db)
  }

  private init(chunk: Int) {
    self.chunk = chunk
  }

  private mutating func append(_ entry: Entry, _ db: Database) throws {
    entries.append(entry)
    guard entries.count == chunk else { return }
    try runs.append(write(level: 2, db))
    try merge(db)
  }

  private mutating func finish(_ db: Database) throws {
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
