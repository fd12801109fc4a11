internal import KeyIndex
internal import SQLite
internal import Storage
internal import Synchronization

extension IndexedTable {
  static let event = IndexedTable("event", key: "key")
  static let revocation = IndexedTable("revocation", key: "session")
}

/// The indexes of the two tables whose rows are found by a key, in memory as long as the server runs.
final class StoreIndexes: Sendable {
  let events: KeyIndex
  let revocations: KeyIndex
  // Used on the writer's queue only.
  nonisolated(unsafe) let writers: IndexWriters
  let progress = Mutex(RebuildProgress())
  /// Whether nothing is being built, at the cost of a load.
  let isWhole = Atomic(true)
  /// A run that look-ups do not find is being looked for.
  let isSearching = Atomic(false)
  let isClosed = Atomic(false)

  init(_ limits: KeyIndexLimits) {
    events = KeyIndex(of: .event, limits: limits)
    revocations = KeyIndex(of: .revocation, limits: limits)
    unsafe writers = IndexWriters(events: events, revocations: revocations, writesRuns: true)
  }
}

/// What keeps the two indexes up with their tables.
struct IndexWriters {
  let events: KeyIndexWriter
  let revocations: KeyIndexWriter

  init(events: KeyIndex, revocations: KeyIndex, writesRuns: Bool) {
    self.events = KeyIndexWriter(events, writesRuns: writesRuns)
    self.revocations = KeyIndexWriter(revocations, writesRuns: writesRuns)
  }

  /// Of a process beside the server, for one transaction.
  static func load(_ tally: Tally, _ db: Connection) throws -> IndexWriters {
    IndexWriters(
      events: try KeyIndex.load(.event, last: tally.lastEvent, db),
      revocations: try KeyIndex.load(.revocation, last: tally.lastRevocation, db), writesRuns: false)
  }

  func begin(_ tally: Tally, _ db: Connection, willCover: () -> Void) throws {
    try events.begin(db, last: tally.lastEvent, willCover: willCover)
    try revocations.begin(db, last: tally.lastRevocation, willCover: willCover)
  }

  func finish(_ tally: Tally, _ db: Connection) throws {
    try events.finish(db, last: tally.lastEvent)
    try revocations.finish(db, last: tally.lastRevocation)
  }

  /// Behind the commit that threw away what was there.
  func cleared() {
    events.cleared()
    revocations.cleared()
  }

  func ended(_ isCommitted: Bool) {
    for writer in [events, revocations] { isCommitted ? writer.committed() : writer.failed() }
  }
}
