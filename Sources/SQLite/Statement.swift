internal import CSQLite

/// A prepared statement. It belongs to its connection, and to the thread that has the connection at the moment.
///
/// What is bound is copied, and stays bound until it is bound anew. Parameters count from 1, columns from 0.
@safe package final class Statement {
  // Made by `init`, finalized by `deinit`, and used in between only.
  private let handle: OpaquePointer

  init(_ connection: OpaquePointer?, _ sql: String) throws(SQLiteError) {
    var handle: OpaquePointer?
    // The string lives for the call.
    let code = unsafe sqlite3_prepare_v3(connection, sql, -1, CUnsignedInt(SQLITE_PREPARE_PERSISTENT), &handle, nil)
    guard code == SQLITE_OK, let handle = unsafe handle else {
      throw unsafe SQLiteError(connection, code: code == SQLITE_OK ? SQLITE_MISUSE : code)
    }
    unsafe self.handle = handle
  }

  deinit { _ = unsafe sqlite3_finalize(handle) }

  package func bind(_ number: Int64, at index: CInt) throws(SQLiteError) {
    try check(unsafe sqlite3_bind_int64(handle, index, number))
  }

  package func bindNull(at index: CInt) throws(SQLiteError) {
    try check(unsafe sqlite3_bind_null(handle, index))
  }

  package func bind(_ text: String, at index: CInt) throws(SQLiteError) {
    var text = text
    let code = text.withUTF8 { bytes in
      unsafe bytes.withMemoryRebound(to: CChar.self) { characters in
        // An empty text may have no address, and without one SQLite binds NULL.
        guard let start = characters.baseAddress else {
          return unsafe sqlite3_bind_text(handle, index, "", 0, sqlite_copied())
        }
        return unsafe sqlite3_bind_text64(
          handle, index, start, UInt64(characters.count), sqlite_copied(), UInt8(SQLITE_UTF8))
      }
    }
    try check(code)
  }

  package func bind(_ bytes: [UInt8], at index: CInt) throws(SQLiteError) {
    let code = unsafe bytes.withUnsafeBytes { bytes in
      // An empty array may have no address, and without one SQLite binds NULL.
      guard let start = bytes.baseAddress else { return unsafe sqlite3_bind_zeroblob(handle, index, 0) }
      return unsafe sqlite3_bind_blob64(handle, index, start, UInt64(bytes.count), sqlite_copied())
    }
    try check(code)
  }

  /// Binds the sixteen bytes that the two words are in memory.
  package func bind(_ words: (UInt64, UInt64), at index: CInt) throws(SQLiteError) {
    let code = unsafe withUnsafeBytes(of: words) { bytes in
      unsafe sqlite3_bind_blob64(handle, index, bytes.baseAddress, UInt64(bytes.count), sqlite_copied())
    }
    try check(code)
  }

  /// Whether there is a next row. The statement keeps its snapshot until it is reset.
  package func step() throws(SQLiteError) -> Bool {
    switch unsafe sqlite3_step(handle) {
    case SQLITE_ROW: return true
    case SQLITE_DONE: return false
    case let code: throw failure(code)
    }
  }

  package func reset() { _ = unsafe sqlite3_reset(handle) }

  /// The row that the statement stands on.
  package var row: Row { unsafe Row(handle) }

  /// Runs a statement that returns no row.
  package func run() throws(SQLiteError) {
    let code = unsafe sqlite3_step(handle)
    guard code == SQLITE_DONE else {
      let error = failure(code)
      reset()
      throw error
    }
    reset()
  }

  /// Calls `body` with one row after another, until it returns false.
  package func walk(_ body: (borrowing Row) throws -> Bool) throws {
    defer { reset() }
    while try step() {
      guard try body(row) else { return }
    }
  }

  private func check(_ code: CInt) throws(SQLiteError) {
    guard code == SQLITE_OK else { throw failure(code) }
  }

  /// To be made before the statement is reset, which may replace the connection's message.
  private func failure(_ code: CInt) -> SQLiteError {
    unsafe SQLiteError(sqlite3_db_handle(handle), code: code)
  }
}

/// The row that a statement stands on, until it moves on.
///
/// The tables are strict, so that a value of another type than asked for, or NULL, is damage.
@safe package struct Row: ~Copyable {
  private let handle: OpaquePointer

  fileprivate init(_ handle: OpaquePointer) {
    unsafe self.handle = handle
  }

  package func integer(_ column: CInt) throws(SQLiteError) -> Int64 {
    guard unsafe sqlite3_column_type(handle, column) == SQLITE_INTEGER else { throw Self.wrongType }
    return unsafe sqlite3_column_int64(handle, column)
  }

  package func text(_ column: CInt) throws(SQLiteError) -> String {
    guard unsafe sqlite3_column_type(handle, column) == SQLITE_TEXT,
      let text = lend(
        column, { bytes in unsafe bytes.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) } })
    else { throw Self.wrongType }
    return text
  }

  package func blob(_ column: CInt) throws(SQLiteError) -> [UInt8] {
    guard unsafe sqlite3_column_type(handle, column) == SQLITE_BLOB else { throw Self.wrongType }
    return lend(column) { bytes in unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) } } ?? []
  }

  package func isNull(_ column: CInt) -> Bool { unsafe sqlite3_column_type(handle, column) == SQLITE_NULL }

  package func integerIfAny(_ column: CInt) throws(SQLiteError) -> Int64? {
    isNull(column) ? nil : try integer(column)
  }

  package func textIfAny(_ column: CInt) throws(SQLiteError) -> String? { isNull(column) ? nil : try text(column) }

  /// Whatever type it has; 0 for NULL.
  package func number(_ column: CInt) -> Int64 { unsafe sqlite3_column_int64(handle, column) }

  /// Lends a text's or a BLOB's bytes. Returns nil for NULL.
  package func lend<Value, Failure>(
    _ column: CInt, _ body: (Span<UInt8>) throws(Failure) -> Value
  ) throws(Failure) -> Value? {
    guard let bytes = unsafe sqlite3_column_blob(handle, column) else {
      // SQLite has no address for none either.
      return isNull(column) ? nil : try body(Span())
    }
    // SQLite's bytes stay where they are until the statement moves on, and it says how many there are.
    let count = Int(unsafe sqlite3_column_bytes(handle, column))
    return try unsafe body(Span(_unsafeStart: bytes.assumingMemoryBound(to: UInt8.self), count: count))
  }

  private static let wrongType = SQLiteError.corrupt("a row lacks a value, or holds one of another type")
}

/// What a statement can be given.
package protocol Bindable {
  func bind(to statement: Statement, at index: CInt) throws(SQLiteError)
}

extension Int64: Bindable {
  package func bind(to statement: Statement, at index: CInt) throws(SQLiteError) {
    try statement.bind(self, at: index)
  }
}

extension Int: Bindable {
  package func bind(to statement: Statement, at index: CInt) throws(SQLiteError) {
    try statement.bind(Int64(self), at: index)
  }
}

extension String: Bindable {
  package func bind(to statement: Statement, at index: CInt) throws(SQLiteError) {
    try statement.bind(self, at: index)
  }
}

extension [UInt8]: Bindable {
  package func bind(to statement: Statement, at index: CInt) throws(SQLiteError) {
    try statement.bind(self, at: index)
  }
}
