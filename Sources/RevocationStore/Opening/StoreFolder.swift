internal import CLinux
internal import Foundation
internal import Glibc
package import Storage
internal import SystemPackage

/// The data folder and the names in it.
struct StoreFolder {
  let path: String
  let database: String

  init(_ path: String) {
    self.path = path
    database = path + "/revoked.sqlite"
  }

  /// For a look that writes nothing: `path` may be the database file itself, such as a backup under a name of its own.
  init(inspecting path: String) {
    var information = stat()
    // The string and the structure live for the call.
    let isFile = unsafe stat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFREG
    self.path = isFile ? Self.parent(of: path) : path
    database = isFile ? path : path + "/revoked.sqlite"
  }

  var lock: String { path + "/lock" }

  /// Whether there is more than an empty file, which a first start or a restore leaves that failed half-way.
  var hasDatabase: Bool { Self.hasContent(database) }

  /// Whether there is a log with something in it.
  var hasLog: Bool { Self.hasContent(database + "-wal") }

  /// Whether this user could make a file in it, which it could not on a read-only medium or in another user's folder.
  // A String lent to C lives as long as the call.
  var isWritable: Bool { unsafe access(path, W_OK) == 0 }

  /// Throws when there is no store, or none that this user may read.
  func findDatabase() throws(StoreError) {
    do throws(Errno) {
      // A String lent to C lives as long as the call.
      try systemCall { unsafe access(database, R_OK) }
    } catch .noSuchFileOrDirectory {
      throw .missing(path: database)
    } catch {
      throw .io(path: database, cause: FileAccess.text(error, at: database))
    }
    try checkLog()
  }

  /// Throws when the log that is there cannot be the database's. SQLite asks for no proof: it plays back whatever log
  /// has the right name.
  private func checkLog() throws(StoreError) {
    guard hasLog else { return }
    // The file format's versions for writing and reading (https://sqlite.org/fileformat.html): 2 with a log, 1 without.
    // A file that cannot be read is left for SQLite to complain about.
    guard let file = try? FileDescriptor.opening(database, .readOnly) else { return }
    let versions = file.bytes(2, at: 18)
    try? file.close()
    if versions == [1, 1] { throw .strangeLog(path: database) }
  }

  /// Makes the folder, and the folders above it, for the owner alone.
  func make() throws(StoreError) {
    do throws(Errno) {
      try Self.make(path)
    } catch {
      throw .folder(path: path, cause: FileAccess.text(error, at: path))
    }
  }

  /// Makes an empty database file that only the owner can read; SQLite gives its WAL the same mode. An existing file is
  /// left as it is. It is closed before SQLite opens it: closing any descriptor of a file drops the process's
  /// POSIX locks on it, SQLite's among them.
  func makeDatabase() throws(StoreError) {
    if !hasDatabase, hasLog { throw .logAlone(path: database) }
    try checkLog()
    if !hasDatabase { overwriteInPlace() }
    do throws(Errno) {
      let file = try FileDescriptor.opening(
        database, .readWrite, [.create, .exclusiveCreate], permissions: .ownerReadWrite)
      try? file.close()
    } catch .fileExists {
    } catch {
      throw .folder(path: path, cause: FileAccess.text(error, at: path))
    }
  }

  /// SQLite's shared index and the note of attempts are mapped into memory. A file system that needs new space to
  /// overwrite them ends the process by SIGBUS when it is full.
  private func overwriteInPlace() {
    guard let folder = try? FileDescriptor.opening(path, .readOnly, .directory) else { return }
    clinux_overwrite_in_place(folder.rawValue)
    try? folder.close()
  }

  private static func hasContent(_ path: String) -> Bool {
    var information = stat()
    // The string and the structure live for the call.
    return unsafe stat(path, &information) == 0 && information.st_size > 0
  }

  /// Makes the names in the folder durable.
  func sync() throws(StoreError) {
    do throws(Errno) {
      try Self.sync(path)
    } catch {
      throw .folder(path: path, cause: FileAccess.text(error, at: path))
    }
  }

  private static func make(_ path: String) throws(Errno) {
    let parent = parent(of: path)
    do throws(Errno) {
      try makeOne(path)
    } catch .fileExists {
      // A regular file of that name is told apart here, where the cause still has a name.
      let folder = try FileDescriptor.opening(path, .readOnly, .directory)
      try? folder.close()
      return
    } catch  where error == .noSuchFileOrDirectory && parent != path {
      try make(parent)
      try makeOne(path)
    }
    // The new name is durable only when the folder that holds it is: else a power cut after the first 200 could
    // take the whole store along. SQLite does the same for the files inside.
    try sync(parent)
  }

  /// Makes the names in a folder durable.
  static func sync(_ path: String) throws(Errno) {
    let folder = try FileDescriptor.opening(path, .readOnly, .directory)
    defer { try? folder.close() }
    try folder.sync()
  }

  private static func makeOne(_ path: String) throws(Errno) {
    // A String lent to C lives as long as the call.
    try systemCall { unsafe mkdir(path, 0o700) }
  }

  static func parent(of path: String) -> String {
    var rest = path[...]
    while rest.last == "/" { rest.removeLast() }
    while let last = rest.last, last != "/" { rest.removeLast() }
    while rest.last == "/" && rest.count > 1 { rest.removeLast() }
    return rest.isEmpty ? "." : String(rest)
  }
}

/// One server per folder. The kernel drops the lock with the process, also on kill -9.
///
/// What is locked is the folder itself, which cannot be removed while the store is in it. A file in it says who has the
/// lock; without the file, or with another one in its place, a second server is refused all the same.
package struct StoreLock: ~Copyable {
  private let descriptor: FileDescriptor

  /// Of a folder without an embedded store, which is made if it is missing.
  package init(data: String) throws(StoreError) {
    // Absolute, since a message may be read in another folder.
    let folder = StoreFolder(URL(filePath: data).path)
    try folder.make()
    try self.init(folder)
  }

  init(_ folder: StoreFolder) throws(StoreError) {
    let descriptor: FileDescriptor
    do throws(Errno) {
      descriptor = try FileDescriptor.opening(folder.path, .readOnly, .directory)
    } catch {
      throw .folder(path: folder.path, cause: FileAccess.text(error, at: folder.path))
    }
    let number = descriptor.rawValue
    do throws(Errno) {
      try systemCall { flock(number, LOCK_EX | LOCK_NB) }
      try Self.write(getpid(), to: folder.lock)
    } catch {
      try? descriptor.close()
      if error == .wouldBlock { throw .locked(path: folder.path, pid: Self.owner(folder.lock)) }
      throw .folder(path: folder.path, cause: FileAccess.text(error, at: folder.lock))
    }
    self.descriptor = descriptor
  }

  deinit {
    // A child that was forked and has not executed its program yet has the descriptor too, and would keep the lock.
    release()
    try? descriptor.close()
  }

  /// Lets another server in, before this value goes.
  package borrowing func release() {
    _ = flock(descriptor.rawValue, LOCK_UN)
  }

  /// The number is only for the next one's error message, so that a full disk does not matter.
  private static func write(_ pid: pid_t, to path: String) throws(Errno) {
    let file: FileDescriptor
    do throws(Errno) {
      file = try FileDescriptor.opening(path, .writeOnly, [.create, .truncate], permissions: .ownerReadWrite)
    } catch  where [.noSpace, .diskQuotaExceeded].contains(error) {
      return
    }
    _ = try? file.writeAll("\(pid)\n".utf8)
    try? file.close()
  }

  private static func owner(_ path: String) -> Int32? {
    guard let file = try? FileDescriptor.opening(path, .readOnly) else { return nil }
    defer { try? file.close() }
    return Int32(String(decoding: file.bytes(16).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
  }
}
