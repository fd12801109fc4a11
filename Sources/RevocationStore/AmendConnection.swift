internal import GRDB
internal import Glibc

/// How a command that writes beside a running server is set up.
enum AmendConnection {
  /// Tries at a lock that another process holds, some milliseconds apart: together more than 20 s. A server under load holds it most of the time
  /// and lets go of it often, so that what counts is how often one looks: SQLite's own waiting looks every 100 ms in the end.
  private static let tries = 10_000

  static func open(_ path: String, _ schema: Schema) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.label = "revoked.amend"
    configuration.foreignKeysEnabled = false
    configuration.busyMode = .callback { tried in
      // Not the same for all, so that two who wait do not keep meeting.
      usleep(.random(in: 1000...4000))
      return tried < tries
    }
    configuration.prepareDatabase { db in
      try schema.checkIsCurrent(db, path: path)
      try db.execute(sql: "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 10000")
    }
    return try DatabaseQueue(path: path, configuration: configuration)
  }
}
