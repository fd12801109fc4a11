package import DynamicEvents

/// A store: what was received, who is revoked, and what each handler has still to do. Safe from any thread. Every call
/// blocks until the engine is done, and a read that begins after a commit was acknowledged sees it, whichever process
/// made the commit.
package protocol Store: EventAppending, FeedReading, DeliveryQueue, StoreInspection, StoreAmendment, StoreMaintenance {
  /// Names the store in messages: the database file's path, or a URL without its secrets.
  var location: String { get }
  /// Whether this opening made the store.
  var isNew: Bool { get }
  /// When the store was made: nothing from before is known.
  var createdAt: Timestamp { get }
  /// Of an embedded store's files; nil where another server has them.
  var sizes: StoreSizes? { get }
  /// How this process stands to the server that has the store; nil for an embedded one.
  var server: ServerStanding? { get }

  /// How look-ups are made on one event loop, or on one queue.
  func makeLookUps() -> LookUpPath

  /// Throws when the store is not to be relied upon at the moment: a page made no sense, a file is another one than was
  /// opened. Costs a few system calls.
  func checkIsReliable() throws(StoreError)

  /// Lets go of everything. Every later call fails.
  func close() throws(StoreError)
}

/// What a process opens a store for.
package enum StoreMode: Sendable {
  /// The server: makes what is missing, migrates, writes. Of an embedded store there is one at a time.
  case serve
  /// A look from another process, whether a server runs or not: no lock, no migration, no write.
  case inspect
  /// A command that writes, whether a server runs or not: no lock, no migration, and patient, so that no server's
  /// writing is in its way.
  case amend
  /// A command that makes derived data anew, where no server runs, and reads no index before it is made. No migration.
  case repair
}

/// The sizes of the store's files, in bytes.
package struct StoreSizes: Hashable, Sendable {
  package var database: Int
  /// The write-ahead log. It grows while another process reads an old state of the store.
  package var log: Int
  /// Left on the disk, for a process without privileges.
  package var free: Int

  package init(database: Int, log: Int, free: Int) {
    self.database = database
    self.log = log
    self.free = free
  }
}

/// How a process stands to the database server that it shares with others.
package struct ServerStanding: Hashable, Sendable {
  /// Since it last began a commit that proved that its server is the one that all others write to; nil: not yet.
  package var proofAge: Duration?
  /// Whether each commit waits for a second server; nil: not known yet.
  package var waitsForStandby: Bool?
  /// Whether that one is away, so that none is made, as far as was seen.
  package var isStandbyAway: Bool

  package init(proofAge: Duration?, waitsForStandby: Bool?, isStandbyAway: Bool = false) {
    self.proofAge = proofAge
    self.waitsForStandby = waitsForStandby
    self.isStandbyAway = isStandbyAway
  }
}

/// What belongs to the store as a whole and changes seldom: a text for each name.
package enum StateName: String, Hashable, Sendable {
  /// When the store was made, in milliseconds since 1970: nothing from before is known.
  case createdAt = "created-at"
  /// How far events have been fetched from Dynamic's API.
  case catchUp = "catch-up"
  /// The environment's public keys, as they were fetched last.
  case keySet = "jwks"
  /// Starts that found that the one before had not ended by itself.
  case uncleanStarts = "unclean-starts"
}

/// The store's counts at one moment. All of it is one row, so that asking costs nothing whatever the store's size.
package struct Tally: Hashable, Sendable {
  /// Numbers given out; never again, also after pruning.
  package var lastEvent: Int64
  package var lastRevocation: Int64
  /// Rows there are.
  package var events: Int
  package var revocations: Int
  package var undecodable: Int
  /// When the last genuinely signed delivery came that the store saw, duplicates included.
  package var lastReceivedAt: Timestamp?

  package init(
    lastEvent: Int64, lastRevocation: Int64, events: Int, revocations: Int, undecodable: Int,
    lastReceivedAt: Timestamp?
  ) {
    self.lastEvent = lastEvent
    self.lastRevocation = lastRevocation
    self.events = events
    self.revocations = revocations
    self.undecodable = undecodable
    self.lastReceivedAt = lastReceivedAt
  }

  private static let furthestAhead: Int64 = 86_400_000

  /// A clock that is more than a day ahead of the last delivery is not believed: one start with a wrong one would
  /// forget everything. What is due meanwhile is only remembered for longer.
  package func believable(_ now: Timestamp) -> Timestamp {
    guard let lastReceivedAt else { return now }
    return min(now, Timestamp(milliseconds: lastReceivedAt.milliseconds + Self.furthestAhead))
  }

  /// So far from the ends that no process lives to count there.
  package var isPlausible: Bool {
    let most: Int64 = 1 << 62
    let counts = -(1 << 62)...(1 << 62)
    return 0...most ~= lastEvent && 0...most ~= lastRevocation
      && [events, revocations, undecodable].allSatisfy { counts ~= $0 }
  }
}

/// What an operator should know of, though no call failed.
package enum StoreNotice: Sendable {
  /// An older version's store is migrated, which may take minutes. The schemas' numbers.
  case migrating(from: Int, to: Int)
  /// A backup was put in the store's place. It lacks what was received since `lastReceivedAt`; nil: nothing was ever
  /// received.
  case restored(lastReceivedAt: Timestamp?)
  /// The index is built anew from the rows. Until that is done, look-ups and appends fail.
  case rebuildingIndex(cause: String)
  case rebuiltIndex(rows: Int, duration: Duration)
  /// It is tried again in a moment.
  case rebuildFailed(StoreError)
  /// The write-ahead log is far larger than usual, because another process keeps an old state of the store open.
  case logCannotBeFolded(bytes: Int)
  /// That is over.
  case logIsFolded
  /// The database's commits wait for no second server, so that a failover may lose the last ones.
  case waitsForNoStandby
  /// They do again.
  case waitsForStandby
  /// The database has a setting by which a crash of its machine may lose commits, or ruin it.
  case mayLoseCommits
  /// It has no more.
  case keepsCommits
}
