internal import Glibc

/// Where a copy of the store goes: written under another name beside it, so that what stands under its own name is whole and
/// on disk, or the old file, or nothing.
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
    do throws(SystemError) {
      _ = try FileDescriptor(opening: temporary, O_RDWR | O_CREAT | O_EXCL, mode: 0o600)
    } catch {
      throw .io(path: temporary, cause: error.text)
    }
  }

  deinit {
    // Gone already when it was kept. A String lent to C lives as long as the call.
    _ = unsafe unlink(temporary)
  }

  /// Makes it durable, and gives it its name.
  borrowing func keep() throws(StoreError) {
    try Self.check(path, replacing: replaces)
    do throws(SystemError) {
      try Self.sync(temporary, O_RDWR)
      // Strings lent to C live as long as the call.
      try SystemError.check { unsafe rename(temporary, path) }
      try Self.sync(StoreFolder.parent(of: path), O_RDONLY | O_DIRECTORY)
    } catch {
      throw .io(path: path, cause: error.text)
    }
  }

  private static func check(_ path: String, replacing: Bool) throws(StoreError) {
    // Strings lent to C live as long as the call. A log beside the file would be taken for the copy's own, and ruin it.
    if unsafe access(path + "-wal", F_OK) == 0 { throw .exists(path: path + "-wal") }
    if !replacing, unsafe access(path, F_OK) == 0 { throw .exists(path: path) }
  }

  private static func sync(_ path: String, _ flags: CInt) throws(SystemError) {
    let descriptor = try FileDescriptor(opening: path, flags)
    try SystemError.check { fsync(descriptor.rawValue) }
  }
}
