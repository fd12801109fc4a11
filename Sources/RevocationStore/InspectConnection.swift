internal import GRDB

/// How a look from another process is set up.
enum InspectConnection {
  static func open(_ path: String) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.label = "revoked.inspect"
    configuration.foreignKeysEnabled = false
    // Opened for writing all the same: a WAL that a killed server left needs recovery, and its shared index a writer.
    // GRDB makes each read `query_only`.
    configuration.busyMode = .timeout(5)
    configuration.prepareDatabase { db in try check(db, path: path) }
    return try DatabaseQueue(path: path, configuration: configuration)
  }

  /// Only the server migrates.
  static func check(_ db: Database, path: String) throws {
    let found = try Schema.check(db, path: path)
    guard found == Schema.version else { throw StoreError.schema(path: path, found: found, known: Schema.version) }
  }
}
