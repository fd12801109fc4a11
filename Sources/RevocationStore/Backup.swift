internal import Glibc
internal import SQLite
package import Storage
internal import SystemPackage

extension RevocationStore {
  /// Copies the store, as of one moment, to a file that is a store itself; a server may be writing meanwhile. The file
  /// appears under its name once it is whole and on disk, readable by its owner alone.
  ///
  /// Throws `.exists` when there is such a file and it is not to be replaced, or there is a log beside it. Returns what
  /// the copy holds.
  package func backUp(to path: String, replacing: Bool = false) throws(StoreError) -> Tally {
    guard FileIdentity(path) != FileIdentity(self.path) else {
      throw .io(path: path, cause: "it is the store itself")
    }
    let file = try BackupFile(path, replacing: replacing)
    let temporary = file.temporary
    let tally = try read { db in
      // The first read fixes the moment: without it each step below would see another state, and begin again.
      let tally = try Tally.fetch(db)
      do {
        try Self.copy(db, to: temporary)
      } catch let error as SQLiteError where error.kind == .full {
        throw StoreError.full(path: temporary)
      }
      return tally
    }
    try file.keep()
    return tally
  }

  private static func copy(_ db: Connection, to path: String) throws {
    let copy = try Connection(path, waiting: .atMost(milliseconds: 0))
    defer { copy.close() }
    // What fails is thrown away whole, and what succeeds is synced once, at the end.
    try copy.execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF")
    try db.copy(to: copy)
    copy.close()
    // The copy says of itself that it has a log, as the store does. One that says that it has none is told apart from
    // a store. Else, beside another store's log, SQLite would play that log into it.
    let whole = try Connection(path, waiting: .atMost(milliseconds: 0))
    defer { whole.close() }
    guard try whole.first("PRAGMA journal_mode = DELETE", make: { try $0.text(0) }) == "delete" else {
      throw StoreError.io(path: path, cause: "it cannot be parted from its log")
    }
  }
}

/// Where a copy of the store goes: written under another name beside it, so that what stands under its own name is
/// whole and on disk, or the old file, or nothing.
struct BackupFile: ~Copyable {
  let path: String
  /// What to write to. It is there, empty, and for the owner alone.
  let temporary: String
  private let replaces: Bool

  init(_ path: String, replacing replaces: Bool) throws(StoreError) {
    self.path = path
    self.replaces = replaces
    // Told apart by the process, so that two at once do not write into each other.
    temporary = "\(path).partial-\(getpid())"
    try Self.check(path, replacing: replaces)
    do throws(Errno) {
      let file = try FileDescriptor.opening(
        temporary, .readWrite, [.create, .exclusiveCreate], permissions: .ownerReadWrite)
      try? file.close()
    } catch {
      throw .io(path: temporary, cause: FileAccess.text(error, at: temporary))
    }
  }

  deinit {
    // Gone already when it was kept. A String lent to C lives as long as the call.
    _ = unsafe unlink(temporary)
  }

  /// Makes it durable, and gives it its name.
  borrowing func keep() throws(StoreError) {
    try Self.check(path, replacing: replaces)
    do throws(Errno) {
      let file = try FileDescriptor.opening(temporary, .readWrite)
      defer { try? file.close() }
      try file.sync()
      // Strings lent to C live as long as the call.
      try systemCall { unsafe rename(temporary, path) }
      try StoreFolder.sync(StoreFolder.parent(of: path))
    } catch {
      throw .io(path: path, cause: FileAccess.text(error, at: path))
    }
  }

  private static func check(_ path: String, replacing: Bool) throws(StoreError) {
    // Strings lent to C live as long as the call. A log beside the file would be taken for the copy's own, and ruin it.
    if unsafe access(path + "-wal", F_OK) == 0 { throw .exists(path: path + "-wal") }
    // Of the name itself: a link is no file either.
    var information = stat()
    guard unsafe lstat(path, &information) == 0 else { return }
    guard replacing else { throw .exists(path: path) }
    guard information.st_mode & S_IFMT == S_IFREG else {
      throw .io(path: path, cause: "it is no regular file, and nothing else is replaced")
    }
  }
}
