internal import Glibc

/// The data folder and the names in it.
struct StoreFolder {
  let path: String

  var database: String { path + "/revoked.sqlite" }
  var lock: String { path + "/lock" }

  /// Whether there is more than an empty file, which a first start or a restore leaves that failed half-way.
  var hasDatabase: Bool { Self.hasContent(database) }

  /// Whether there is a log with something in it.
  var hasLog: Bool { Self.hasContent(database + "-wal") }

  /// Whether this user could make a file in it, which neither a read-only medium nor a folder of somebody else's allows.
  // A String lent to C lives as long as the call.
  var isWritable: Bool { unsafe access(path, W_OK) == 0 }

  /// Throws when there is no store, or none that this user may read.
  func findDatabase() throws(StoreError) {
    do throws(SystemError) {
      // A String lent to C lives as long as the call.
      try SystemError.check { unsafe access(database, R_OK) }
    } catch {
      if error.code == ENOENT { throw .missing(path: database) }
      throw .io(path: database, cause: error.text)
    }
    try checkLog()
  }

  /// Throws when the log that is there cannot be the database's. SQLite asks for no proof: it plays back whatever log has the right name.
  private func checkLog() throws(StoreError) {
    guard hasLog else { return }
    // The file format's versions for writing and reading (https://sqlite.org/fileformat.html): 2 with a log, 1 without. A file that cannot be read
    // is SQLite's to tell of.
    guard let file = try? FileDescriptor(opening: database, O_RDONLY) else { return }
    var versions: [UInt8] = [0, 0]
    // The array outlives the call, and the count is its own.
    let count = unsafe pread(file.rawValue, &versions, versions.count, 18)
    if count == versions.count, versions == [1, 1] { throw .strangeLog(path: database) }
  }

  /// Makes the folder, and the folders above it, for the owner alone.
  func make() throws(StoreError) {
    do throws(SystemError) {
      try Self.make(path)
    } catch {
      throw .folder(path: path, cause: error.text)
    }
  }

  /// Makes an empty database file that only the owner can read; SQLite gives its WAL the same mode. An existing file is
  /// left as it is. It is closed before SQLite opens it: closing any descriptor of a file drops the process's
  /// POSIX locks on it, SQLite's among them.
  func makeDatabase() throws(StoreError) {
    if !hasDatabase, hasLog { throw .logAlone(path: database) }
    try checkLog()
    do throws(SystemError) {
      _ = try FileDescriptor(opening: database, O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
    } catch  where error.code == EEXIST {
    } catch {
      throw .folder(path: path, cause: error.text)
    }
  }

  private static func hasContent(_ path: String) -> Bool {
    var information = stat()
    // The string and the structure live for the call.
    return unsafe stat(path, &information) == 0 && information.st_size > 0
  }

  /// Makes the names in the folder durable.
  func sync() throws(StoreError) {
    do throws(SystemError) {
      try Self.sync(path)
    } catch {
      throw .folder(path: path, cause: error.text)
    }
  }

  private static func make(_ path: String) throws(SystemError) {
    let parent = parent(of: path)
    do throws(SystemError) {
      try makeOne(path)
    } catch  where error.code == EEXIST {
      // A regular file of that name is told apart here, where the cause still has a name.
      _ = try FileDescriptor(opening: path, O_RDONLY | O_DIRECTORY)
      return
    } catch  where error.code == ENOENT && parent != path {
      try make(parent)
      try makeOne(path)
    }
    // The new name is durable only when the folder that holds it is: else a power cut after the first 200 could
    // take the whole store along. SQLite does the same for the files inside.
    try sync(parent)
  }

  private static func sync(_ path: String) throws(SystemError) {
    let descriptor = try FileDescriptor(opening: path, O_RDONLY | O_DIRECTORY)
    try SystemError.check { fsync(descriptor.rawValue) }
  }

  private static func makeOne(_ path: String) throws(SystemError) {
    // A String lent to C lives as long as the call.
    try SystemError.check { unsafe mkdir(path, 0o700) }
  }

  static func parent(of path: String) -> String {
    var rest = path[...]
    while rest.last == "/" { rest.removeLast() }
    while let last = rest.last, last != "/" { rest.removeLast() }
    while rest.last == "/" && rest.count > 1 { rest.removeLast() }
    return rest.isEmpty ? "." : String(rest)
  }
}

/// Which file a path names. SQLite goes on writing to the files it has opened even when one was removed or replaced; such commits
/// would be gone with the process, so they must not be acknowledged.
struct FileIdentity: Equatable, Sendable {
  private let device: dev_t
  private let inode: ino_t

  /// nil: nothing is there, or it cannot be asked.
  init?(_ path: String) {
    var information = stat()
    // The string and the structure live for the call.
    guard unsafe stat(path, &information) == 0 else { return nil }
    device = information.st_dev
    inode = information.st_ino
  }
}

/// The space left where a file is.
enum FileSpace {
  /// In bytes, for a process without privileges; 0 when it cannot be told.
  static func available(at path: String) -> UInt64 {
    var information = statvfs()
    // The string and the structure live for the call.
    guard unsafe statvfs(path, &information) == 0 else { return 0 }
    return UInt64(information.f_bavail).multipliedReportingOverflow(by: UInt64(information.f_frsize)).partialValue
  }
}
