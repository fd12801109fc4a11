internal import GRDBSQLite

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
