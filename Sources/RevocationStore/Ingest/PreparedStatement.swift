internal import GRDB
internal import GRDBSQLite

/// A statement of ingest, bound and stepped without GRDB's arguments: those are values of any type in an array, and cost more than SQLite's own work
/// on a row. What is bound is copied. Like the `Database` that it was made for, it belongs to the connection's queue.
@safe struct PreparedStatement {
  // SQLITE_TRANSIENT, a macro that Swift does not import: SQLite copies before the call returns, so pointers need not outlive it.
  private static let copied = unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)

  /// Owns the handle below, and keeps it for as long.
  private let statement: Statement
  private let handle: OpaquePointer

  /// From the connection's cache, where it stays prepared.
  init(_ db: Database, sql: String) throws {
    statement = try db.cachedStatement(sql: sql)
    unsafe handle = statement.sqliteStatement
  }

  func bind(_ number: Int64?, at index: Int32) throws {
    guard let number else { return try bindNull(at: index) }
    try check(unsafe sqlite3_bind_int64(handle, index, number))
  }

  func bind(_ text: String?, at index: Int32) throws {
    guard var text else { return try bindNull(at: index) }
    // An empty text may have no address, and without one SQLite binds NULL.
    guard !text.isEmpty else { return try check(unsafe sqlite3_bind_text(handle, index, "", 0, Self.copied)) }
    try check(
      text.withUTF8 { bytes in
        unsafe bytes.withMemoryRebound(to: CChar.self) { characters in
          unsafe sqlite3_bind_text64(
            handle, index, characters.baseAddress, UInt64(characters.count), Self.copied, UInt8(SQLITE_UTF8))
        }
      })
  }

  func bind(_ bytes: [UInt8], at index: Int32) throws {
    // An empty array may have no address, and without one SQLite binds NULL.
    guard !bytes.isEmpty else { return try check(unsafe sqlite3_bind_zeroblob(handle, index, 0)) }
    try check(
      unsafe bytes.withUnsafeBytes { bytes in
        unsafe sqlite3_bind_blob64(handle, index, bytes.baseAddress, UInt64(bytes.count), Self.copied)
      })
  }

  /// The sixteen bytes that the two words are in memory.
  func bind(_ words: (UInt64, UInt64), at index: Int32) throws {
    try check(
      unsafe withUnsafeBytes(of: words) { bytes in
        unsafe sqlite3_bind_blob64(handle, index, bytes.baseAddress, UInt64(bytes.count), Self.copied)
      })
  }

  /// Runs a statement that answers no row. Answers how many rows it changed.
  func run() throws -> Int {
    let result = unsafe sqlite3_step(handle)
    guard result == SQLITE_DONE else {
      let error = failure(result)
      _ = unsafe sqlite3_reset(handle)
      throw error
    }
    _ = unsafe sqlite3_reset(handle)
    return Int(unsafe sqlite3_changes(sqlite3_db_handle(handle)))
  }

  /// Lends the rows one after another.
  func forEach(_ body: (borrowing Row) throws -> Void) throws {
    // A read under way would keep its snapshot.
    defer { _ = unsafe sqlite3_reset(handle) }
    while true {
      switch unsafe sqlite3_step(handle) {
      case SQLITE_ROW: try unsafe body(Row(handle))
      case SQLITE_DONE: return
      case let result: throw failure(result)
      }
    }
  }

  private func bindNull(at index: Int32) throws {
    try check(unsafe sqlite3_bind_null(handle, index))
  }

  private func check(_ result: Int32) throws {
    guard result == SQLITE_OK else { throw failure(result) }
  }

  /// To be made before the statement is reset, which may replace the connection's message.
  private func failure(_ result: Int32) -> DatabaseError {
    let message = unsafe String(cString: sqlite3_errmsg(sqlite3_db_handle(handle)))
    return DatabaseError(resultCode: ResultCode(rawValue: result), message: message)
  }
}

extension PreparedStatement {
  /// The row that a statement stands on, until it moves on. Columns count from 0.
  @safe struct Row: ~Copyable {
    private let handle: OpaquePointer?

    init(_ handle: OpaquePointer?) {
      unsafe self.handle = handle
    }

    func number(_ column: Int32) -> Int64 { unsafe sqlite3_column_int64(handle, column) }

    /// Lends a text's or a BLOB's bytes. `nil` for NULL, for none, or if `body` answers so.
    func bytes<Value>(_ column: Int32, _ body: (Span<UInt8>) -> Value?) -> Value? {
      guard let bytes = unsafe sqlite3_column_blob(handle, column) else { return nil }
      // SQLite's bytes stay where they are until the statement moves on, and it says how many there are.
      let count = Int(unsafe sqlite3_column_bytes(handle, column))
      return unsafe body(Span(_unsafeStart: bytes.assumingMemoryBound(to: UInt8.self), count: count))
    }
  }
}
