internal import CSQLite

/// A call of SQLite's that failed.
package struct SQLiteError: Error, Equatable {
  /// SQLite's extended result code.
  package let code: CInt
  package let message: String
  /// The `errno` behind it; 0 if there was none.
  package var systemError: CInt = 0

  /// The code without what extends it, to switch on.
  package var kind: Kind? { Kind(rawValue: code & 0xFF) }

  package enum Kind: CInt, Sendable {
    /// No such table or column, or no SQL.
    case noSuchThing = 1
    case busy = 5
    case locked = 6
    case readOnly = 8
    case io = 10
    case corrupt = 11
    case full = 13
    case cannotOpen = 14
    case notADatabase = 26
  }

  /// What is on disk cannot be what was written.
  package static func corrupt(_ message: String) -> SQLiteError {
    SQLiteError(code: SQLITE_CORRUPT, message: message)
  }

  package static func io(_ message: String) -> SQLiteError {
    SQLiteError(code: SQLITE_IOERR, message: message)
  }

  package init(code: CInt, message: String) {
    self.code = code
    self.message = message
  }

  /// Of the connection's latest call, which returned `code`.
  init(_ connection: OpaquePointer?, code: CInt) {
    self.code = code
    // SQLite's text stays until the connection's next call, and is copied here.
    message = unsafe String(cString: connection == nil ? sqlite3_errstr(code) : sqlite3_errmsg(connection))
    systemError = unsafe connection == nil ? 0 : sqlite3_system_errno(connection)
  }
}
