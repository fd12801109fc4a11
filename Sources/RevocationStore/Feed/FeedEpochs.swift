internal import SQLite
internal import Storage

extension FeedEpochs {
  /// Begins an epoch. One that gave out no number is replaced, so that restarts alone add nothing.
  static func begin(_ connections: StoreConnections) throws -> FeedEpochs {
    let id = UInt32.random(in: .min ... .max)
    do {
      try connections.withWriter { db in
        try db.write {
          try db.run(
            "INSERT OR REPLACE INTO feed_epoch (first_seq, id) SELECT last_revocation + 1, ? FROM tally", Int64(id))
        }
      }
    } catch {
      // A full disk must not keep look-ups from being answered. An id that is not kept is unknown after the next
      // opening, and a client that has it reads everything again, which costs only the work.
    }
    return try connections.read { db in
      var epochs = FeedEpochs(
        try db.all("SELECT first_seq, id FROM feed_epoch ORDER BY first_seq") { row in
          try (row.integer(0), UInt32(truncatingIfNeeded: row.integer(1)))
        })
      let next = try Tally.fetch(db).lastRevocation + 1
      if epochs.last != id { epochs.append(id, first: next) }
      return epochs
    }
  }

  /// Begins an epoch for numbers that a command gives out. No opening began one for them if no server runs, and on a
  /// restored backup the last one is another history's. Where a server runs, its callers' cursors are unknown after its
  /// next start, and they read everything again.
  static func begin(_ db: Connection, first seq: Int64) throws {
    try db.run(
      "INSERT OR REPLACE INTO feed_epoch (first_seq, id) VALUES (?, ?)", seq, Int64(UInt32.random(in: .min ... .max)))
  }
}
