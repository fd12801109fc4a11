internal import CSQLite

extension Connection {
  package enum Checkpoint: Sendable {
    /// As far as it goes without waiting for readers.
    case passive
    /// All of it, and the log's file is cut to nothing.
    case truncate

    fileprivate var mode: CInt {
      switch self {
      case .passive: SQLITE_CHECKPOINT_PASSIVE
      case .truncate: SQLITE_CHECKPOINT_TRUNCATE
      }
    }
  }

  /// Copies pages from the write-ahead log into the database. Returns how many the log has, and how many of them are
  /// copied.
  @discardableResult
  package func checkpoint(_ checkpoint: Checkpoint) throws(SQLiteError) -> (pages: Int, copied: Int) {
    try unsafe withHandle { handle throws(SQLiteError) in
      var (pages, copied): (CInt, CInt) = (0, 0)
      let code = unsafe sqlite3_wal_checkpoint_v2(handle, nil, checkpoint.mode, &pages, &copied)
      guard code == SQLITE_OK else { throw unsafe SQLiteError(handle, code: code) }
      return (Int(pages), Int(copied))
    }
  }

  /// Writes the write-ahead log over itself, byte for byte, and syncs it. Only within a write transaction, while no
  /// other process may append to the log or restart it.
  ///
  /// When a sync fails, Linux marks the pages clean that it could not write, and reports it once. A process that reads
  /// the file sees them, and a later sync succeeds without having written them. So a server that is killed after a
  /// failed sync would be followed by one that recovers a log that is not on the disk, appends behind the hole, and
  /// loses all of that in a power cut. Written once more, the pages are dirty again and the next sync is about them.
  /// The same bytes harm no reader.
  package func rewriteLog() throws(SQLiteError) {
    try unsafe withHandle { handle throws(SQLiteError) in
      var pointer: UnsafeMutableRawPointer?
      // SQLite stores a pointer to its file, which lives as long as the connection.
      guard unsafe sqlite3_file_control(handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &pointer) == SQLITE_OK,
        let file = unsafe pointer?.assumingMemoryBound(to: sqlite3_file.self),
        let methods = unsafe file.pointee.pMethods?.pointee,
        let read = unsafe methods.xRead, let write = unsafe methods.xWrite, let sync = unsafe methods.xSync,
        let size = unsafe methods.xFileSize
      else { throw .io("the log cannot be reached") }
      let check = { (code: CInt) throws(SQLiteError) in
        guard code == SQLITE_OK else { throw SQLiteError(code: code, message: "the log cannot be written anew") }
      }
      var end: Int64 = 0
      // SQLite's own file and its own functions, and a buffer that lives for the calls and whose count bounds them.
      try check(unsafe size(file, &end))
      var buffer = [UInt8](repeating: 0, count: 1 << 16)
      var offset: Int64 = 0
      while offset < end {
        let count = CInt(min(Int64(buffer.count), end - offset))
        try check(unsafe read(file, &buffer, count, offset))
        try check(unsafe write(file, buffer, count, offset))
        offset += Int64(count)
      }
      if end > 0 { try check(unsafe sync(file, SQLITE_SYNC_NORMAL)) }
    }
  }

  /// Copies the database into another file's, as of the moment that a read under way has.
  package func copy(to other: Connection) throws(SQLiteError) {
    try unsafe withHandle { source throws(SQLiteError) in
      try unsafe other.withHandle { target throws(SQLiteError) in
        guard let backup = unsafe sqlite3_backup_init(target, "main", source, "main") else {
          throw unsafe SQLiteError(target, code: sqlite3_extended_errcode(target))
        }
        let code = unsafe sqlite3_backup_step(backup, -1)
        let finished = unsafe sqlite3_backup_finish(backup)
        guard code == SQLITE_DONE, finished == SQLITE_OK else {
          throw unsafe SQLiteError(target, code: code == SQLITE_DONE ? finished : code)
        }
      }
    }
  }
}
