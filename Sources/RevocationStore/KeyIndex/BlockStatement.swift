internal import GRDB
internal import GRDBSQLite

/// Reads the blocks of runs over one connection. It belongs to the connection's queue, and lives no longer.
@safe struct BlockStatement {
  static let sql = "SELECT entries, checksum FROM key_block WHERE id = ?"

  private let handle: OpaquePointer?

  /// - Parameter handle: of the statement above. Whoever made it keeps it.
  init(_ handle: OpaquePointer?) {
    unsafe self.handle = handle
  }

  /// From the connection's cache, where it stays prepared.
  init(_ db: Database) throws {
    try unsafe self.init(db.cachedStatement(sql: Self.sql).sqliteStatement)
  }

  /// Lends a block's entries and their checksum.
  func read<Value>(
    _ id: Int64, _ body: (_ entries: Span<UInt8>, _ checksum: UInt64) throws(BlockError) -> Value
  ) throws(BlockError) -> Value {
    defer { _ = unsafe sqlite3_reset(handle) }
    guard unsafe sqlite3_bind_int64(handle, 1, id) == SQLITE_OK else { throw failure() }
    switch unsafe sqlite3_step(handle) {
    case SQLITE_ROW: break
    case SQLITE_DONE: throw .missing
    default: throw failure()
    }
    let checksum = UInt64(bitPattern: unsafe sqlite3_column_int64(handle, 1))
    guard let bytes = unsafe sqlite3_column_blob(handle, 0) else { throw .malformed }
    // SQLite's bytes stay where they are until the statement is reset, and it says how many there are.
    let count = Int(unsafe sqlite3_column_bytes(handle, 0))
    return try unsafe body(Span(_unsafeStart: bytes.assumingMemoryBound(to: UInt8.self), count: count), checksum)
  }

  private func failure() -> BlockError {
    .failed(code: unsafe sqlite3_extended_errcode(sqlite3_db_handle(handle)))
  }
}
