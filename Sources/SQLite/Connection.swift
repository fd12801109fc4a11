internal import CSQLite
internal import Glibc

/// A connection to a database file. Nothing here locks: its owner lends it to one thread at a time.
///
/// Sendable, because it may be lent to one thread after another.
@safe package final class Connection: @unchecked Sendable {
  package enum Access: Sendable {
    case readWrite
    case readOnly
    /// SQLite is told that no process writes to the file. It looks for no log and takes no lock.
    case immutable
  }

  /// How long to wait for a lock that another connection holds.
  package enum Waiting: Sendable {
    /// SQLite's own way: it looks every 100 ms in the end.
    case atMost(milliseconds: CInt)
    /// Looks every few milliseconds, so often. For who waits for a lock that is let go of often, and is taken again at
    /// once.
    case looking(times: CInt)
  }

  // Opened by `init`, closed by `close`, nil from then on.
  private var handle: OpaquePointer?
  private var statements: [String: Statement] = [:]
  /// How many pages the write-ahead log had after the latest commit.
  package private(set) var logPages = 0
  /// To which byte the log's file has been made to reach.
  var logSize: Int64 = 0

  package init(_ path: String, _ access: Access = .readWrite, waiting: Waiting) throws(SQLiteError) {
    let (name, flags) =
      switch access {
      case .readWrite: (path, SQLITE_OPEN_READWRITE)
      case .readOnly: (path, SQLITE_OPEN_READONLY)
      case .immutable: (Self.uri(path) + "?immutable=1", SQLITE_OPEN_READONLY | SQLITE_OPEN_URI)
      }
    var opened: OpaquePointer?
    // The string lives for the call. One thread at a time needs no mutex.
    let code = unsafe sqlite3_open_v2(name, &opened, flags | SQLITE_OPEN_NOMUTEX, nil)
    guard code == SQLITE_OK else {
      let error = unsafe SQLiteError(opened, code: code)
      _ = unsafe sqlite3_close(opened)
      throw error
    }
    unsafe handle = opened
    _ = unsafe sqlite3_extended_result_codes(opened, 1)
    switch waiting {
    case .atMost(let milliseconds): _ = unsafe sqlite3_busy_timeout(opened, milliseconds)
    case .looking(let times):
      // The number of looks is all that the callback needs, and it travels in the pointer's place.
      let context = unsafe UnsafeMutableRawPointer(bitPattern: Int(times))
      _ = unsafe sqlite3_busy_handler(
        opened,
        { context, tried in
          // Not the same for all, so that two who wait do not keep meeting.
          usleep(.random(in: 1000...4000))
          return Int(bitPattern: context) > Int(tried) ? 1 : 0
        }, context)
    }
    // The connection outlives its handle, which is what calls back.
    let me = unsafe Unmanaged.passUnretained(self).toOpaque()
    _ = unsafe sqlite3_wal_hook(
      opened,
      { context, _, _, pages in
        guard let context = unsafe context else { return SQLITE_OK }
        unsafe Unmanaged<Connection>.fromOpaque(context).takeUnretainedValue().logPages = Int(pages)
        return SQLITE_OK
      }, me)
  }

  deinit { close() }

  /// Every later call fails. The last connection to close folds the log into the database.
  package func close() {
    statements = [:]
    // Statements that are still held keep the handle alive until they go.
    _ = unsafe sqlite3_close_v2(handle)
    unsafe handle = nil
  }

  /// The statement, which stays prepared as long as the connection is open.
  package func statement(_ sql: String) throws(SQLiteError) -> Statement {
    if let known = statements[sql] { return known }
    let statement = try prepare(sql)
    statements[sql] = statement
    return statement
  }

  /// A statement of the caller's own, which must not outlive the connection's use.
  package func prepare(_ sql: String) throws(SQLiteError) -> Statement {
    try unsafe withHandle { handle throws(SQLiteError) in try unsafe Statement(handle, sql) }
  }

  /// Runs any number of statements without parameters. Rows are passed over.
  package func execute(_ sql: String) throws(SQLiteError) {
    try unsafe withHandle { handle throws(SQLiteError) in
      // The string lives for the call.
      let code = unsafe sqlite3_exec(handle, sql, nil, nil, nil)
      guard code == SQLITE_OK else { throw unsafe SQLiteError(handle, code: code) }
    }
  }

  /// Runs a statement that returns no row.
  package func run(_ sql: String, _ values: (any Bindable)?...) throws(SQLiteError) {
    try bound(sql, values).run()
  }

  /// What `make` makes of the first row; nil when there is none.
  package func first<Value>(
    _ sql: String, _ values: (any Bindable)?..., make: (borrowing Row) throws -> Value
  ) throws -> Value? {
    var value: Value?
    try bound(sql, values).walk { row in
      value = try make(row)
      return false
    }
    return value
  }

  package func all<Value>(
    _ sql: String, _ values: (any Bindable)?..., make: (borrowing Row) throws -> Value
  ) throws -> [Value] {
    var all: [Value] = []
    try bound(sql, values).walk { row in
      all.append(try make(row))
      return true
    }
    return all
  }

  /// Calls `body` with one row after another, until it returns false.
  package func walk(
    _ sql: String, _ values: (any Bindable)?..., body: (borrowing Row) throws -> Bool
  ) throws {
    try bound(sql, values).walk(body)
  }

  /// How many rows the latest INSERT, UPDATE or DELETE changed.
  package var changes: Int { Int(unsafe sqlite3_changes64(handle)) }

  package var lastInsertedRowID: Int64 { unsafe sqlite3_last_insert_rowid(handle) }

  /// All of `body` or nothing. The write lock is taken at once.
  package func write<Value>(_ body: () throws -> Value) throws -> Value { try transaction("BEGIN IMMEDIATE", body) }

  /// What `body` reads is as of one moment.
  package func read<Value>(_ body: () throws -> Value) throws -> Value { try transaction("BEGIN", body) }

  private func transaction<Value>(_ begin: String, _ body: () throws -> Value) throws -> Value {
    try statement(begin).run()
    do {
      let value = try body()
      try statement("COMMIT").run()
      return value
    } catch {
      // Some failures roll back by themselves.
      if unsafe sqlite3_get_autocommit(handle) == 0 { try? statement("ROLLBACK").run() }
      throw error
    }
  }

  /// Lends SQLite's own handle, which must not be closed.
  func withHandle<Value>(_ body: (OpaquePointer) throws(SQLiteError) -> Value) throws(SQLiteError) -> Value {
    guard let handle = unsafe handle else {
      throw SQLiteError(code: SQLITE_MISUSE, message: "the connection is closed")
    }
    return try unsafe body(handle)
  }

  private func bound(_ sql: String, _ values: [(any Bindable)?]) throws(SQLiteError) -> Statement {
    let statement = try statement(sql)
    for (index, value) in zip(CInt(1)..., values) {
      if let value { try value.bind(to: statement, at: index) } else { try statement.bindNull(at: index) }
    }
    return statement
  }

  private static func uri(_ path: String) -> String {
    "file:"
      + path.utf8.map { byte in
        switch UInt8(byte) {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "-"), UInt8(ascii: "."):
          return String(UnicodeScalar(byte))
        default: return "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
      }.joined()
  }
}

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
