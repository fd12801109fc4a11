internal import GRDB
internal import GRDBSQLite

/// Writes the write-ahead log over itself, byte for byte, and syncs it.
///
/// When a sync fails, Linux marks the pages clean that it could not write, and tells once. Whoever reads the file sees them, and a
/// later sync succeeds without having written them. So a server that is killed after a failed sync would be followed by one that
/// recovers a log that is not on the disk, appends behind the hole, and loses all of that in a power cut. Written once more, the
/// pages are dirty again and the next sync is about them. The same bytes harm no reader.
enum LogRewriting {
  private static let chunk = 1 << 16

  /// Only within a write transaction, while nobody else may append or restart the log.
  static func rewrite(_ db: Database) throws {
    var pointer: UnsafeMutableRawPointer?
    // SQLite stores a pointer to its file, which lives as long as the connection.
    guard
      let connection = unsafe db.sqliteConnection,
      unsafe sqlite3_file_control(connection, "main", SQLITE_FCNTL_JOURNAL_POINTER, &pointer) == SQLITE_OK,
      let file = unsafe pointer?.assumingMemoryBound(to: sqlite3_file.self),
      let methods = unsafe file.pointee.pMethods?.pointee,
      let read = unsafe methods.xRead, let write = unsafe methods.xWrite, let sync = unsafe methods.xSync,
      let size = unsafe methods.xFileSize
    else { throw DatabaseError(resultCode: .SQLITE_IOERR, message: "the log cannot be reached") }
    var end: Int64 = 0
    // SQLite's own file and its own functions, and a buffer that lives for the calls and whose count bounds them.
    try check(unsafe size(file, &end))
    var buffer = [UInt8](repeating: 0, count: chunk)
    var offset: Int64 = 0
    while offset < end {
      let count = CInt(min(Int64(chunk), end - offset))
      try check(unsafe read(file, &buffer, count, offset))
      try check(unsafe write(file, buffer, count, offset))
      offset += Int64(count)
    }
    if end > 0 { try check(unsafe sync(file, SQLITE_SYNC_NORMAL)) }
  }

  private static func check(_ code: CInt) throws {
    guard code == SQLITE_OK else {
      throw DatabaseError(resultCode: ResultCode(rawValue: code), message: "the log cannot be written anew")
    }
  }
}
