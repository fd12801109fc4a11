internal import CSQLite

extension Connection {
  /// A page in the log, with what describes it; the log's own header is shorter than that.
  package static let logFrame = 4096 + 24
  /// Bytes: as much as most transactions write.
  private static let logRoom: Int64 = 1 << 18

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
    try unsafe withLogFile { file, methods throws(SQLiteError) in
      guard let read = unsafe methods.xRead, let write = unsafe methods.xWrite, let sync = unsafe methods.xSync,
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

  /// Where the log ends in its file, in bytes.
  private var logEnd: Int64 { Int64(logPages) * Int64(Self.logFrame) }

  /// Whether the next transactions may make the log's file longer.
  package var logNeedsRoom: Bool { logEnd + Self.logRoom > logSize }

  /// Adds zeros to the log's file. Only within a write transaction, while no other process may append to the log.
  ///
  /// A sync behind a write that made the file longer also writes the file's size and where its blocks are, which takes
  /// twice the time of a sync behind a write into what was there. Zeros are no page of the log: what follows the last
  /// page is told from it by checksums, as pages of an earlier round are.
  package func extendLog(by count: Int) throws(SQLiteError) {
    try unsafe withLogFile { file, methods throws(SQLiteError) in
      guard let write = unsafe methods.xWrite, let size = unsafe methods.xFileSize else {
        throw .io("the log cannot be reached")
      }
      let check = { (code: CInt) throws(SQLiteError) in
        guard code == SQLITE_OK else { throw SQLiteError(code: code, message: "the log cannot be made longer") }
      }
      // SQLite's own file and its own functions, and a buffer that lives for the calls and whose count bounds them.
      try check(unsafe size(file, &logSize))
      guard logNeedsRoom else { return }
      let zeros = [UInt8](repeating: 0, count: 1 << 16)
      for _ in 0..<count / zeros.count {
        try check(unsafe write(file, zeros, CInt(zeros.count), logSize))
        logSize += Int64(zeros.count)
      }
    }
  }

  /// Lends SQLite's own file of the log, which lives as long as the connection.
  private func withLogFile(
    _ body: (UnsafeMutablePointer<sqlite3_file>, sqlite3_io_methods) throws(SQLiteError) -> Void
  ) throws(SQLiteError) {
    try unsafe withHandle { handle throws(SQLiteError) in
      var pointer: UnsafeMutableRawPointer?
      // SQLite stores a pointer to its file.
      guard unsafe sqlite3_file_control(handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &pointer) == SQLITE_OK,
        let file = unsafe pointer?.assumingMemoryBound(to: sqlite3_file.self),
        let methods = unsafe file.pointee.pMethods?.pointee
      else { throw .io("the log cannot be reached") }
      try unsafe body(file, methods)
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
