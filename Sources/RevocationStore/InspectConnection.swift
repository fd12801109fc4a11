internal import Foundation
internal import GRDB

/// How a look from another process is set up.
enum InspectConnection {
  /// - Parameter frozen: there is no log, and none can be made: a copy on a read-only medium.
  static func open(_ folder: StoreFolder, _ schema: Schema, frozen: Bool) throws -> DatabaseQueue {
    let path = folder.database
    var configuration = Configuration()
    configuration.label = "revoked.inspect"
    configuration.foreignKeysEnabled = false
    // Opened for writing all the same: a WAL that a killed server left needs recovery, and its shared index a writer.
    // GRDB makes each read `query_only`.
    configuration.busyMode = .timeout(5)
    configuration.prepareDatabase { db in try schema.checkIsCurrent(db, path: path) }
    if frozen {
      configuration.readonly = true
      // Else SQLite wants an index of the log, even of one that is not there (https://sqlite.org/uri.html#uriimmutable).
      return try DatabaseQueue(
        path: URL(filePath: path).absoluteString + "?immutable=1", configuration: configuration)
    }
    do {
      return try DatabaseQueue(path: path, configuration: configuration)
    } catch let error as DatabaseError where error.resultCode == .SQLITE_CANTOPEN && folder.hasLog && !folder.isWritable
    {
      throw StoreError.io(
        path: path,
        cause: "its log \(path)-wal holds events, and nothing can be written beside it; copy both to another folder")
    }
  }
}
