internal import GRDB

/// Which opening of the store gave out which numbers of the feed.
///
/// A cursor must not outlive the history that it belongs to: once an older backup is restored, numbers that were given out before are given out
/// again, to other sessions, and whoever asks for what comes after the old number would miss them. So every opening draws a random id for the numbers
/// that it will give out, the ids are kept in the store, and a cursor carries its own. After a restore the ids differ from the backup's end on.
struct FeedEpochs: Sendable {
  /// The first number of each, growing; and its id.
  private var epochs: [(first: Int64, id: UInt32)] = []

  static let none = FeedEpochs()

  /// Begins an epoch. One that gave out no number is replaced, so that restarts alone add nothing.
  static func begin(_ database: any DatabaseWriter) throws -> FeedEpochs {
    let id = UInt32.random(in: .min ... .max)
    do {
      try database.write { db in
        try db.execute(
          sql: "INSERT OR REPLACE INTO feed_epoch (first_seq, id) SELECT last_revocation + 1, ? FROM tally",
          arguments: [Int64(id)])
      }
    } catch {
      // A full disk must not keep look-ups from being answered. An id that is not kept is unknown after the next opening, and whoever has it
      // reads everything again: no harm but the work.
    }
    return try database.read { db in
      var epochs = FeedEpochs()
      let rows = try Row.fetchCursor(db, sql: "SELECT first_seq, id FROM feed_epoch ORDER BY first_seq")
      while let row = try rows.next() {
        try epochs.epochs.append((row.decode(atIndex: 0), UInt32(truncatingIfNeeded: row.decode(atIndex: 1) as Int64)))
      }
      let next = try Tally.fetch(db).lastRevocation + 1
      if epochs.epochs.last?.id != id { epochs.epochs.append((next, id)) }
      return epochs
    }
  }

  func id(of seq: Int64) -> UInt32? {
    var (low, high) = (0, epochs.count)
    while low < high {
      let middle = (low + high) / 2
      if epochs[middle].first <= seq { low = middle + 1 } else { high = middle }
    }
    return low == 0 ? nil : epochs[low - 1].id
  }
}
