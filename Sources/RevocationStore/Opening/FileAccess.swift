internal import CLinux
internal import Glibc
internal import SystemPackage

/// The files of a store as they were when it was opened. SQLite goes on writing to them even when one was removed or
/// replaced; such commits would be gone with the process, so they must not be acknowledged.
struct OpenedFiles: Sendable {
  /// As C has them: every commit asks.
  private let paths: [[CChar]]
  private let identities: [FileIdentity?]

  init(_ paths: [String]) {
    self.paths = paths.map { Array($0.utf8CString) }
    identities = self.paths.map { FileIdentity($0) }
  }

  /// Whether every path names the file that it named then.
  var areInPlace: Bool {
    for (path, identity) in zip(paths, identities) where FileIdentity(path) != identity { return false }
    return true
  }
}

/// Which file a path names.
struct FileIdentity: Equatable, Sendable {
  private let device: UInt64
  private let inode: UInt64

  init?(_ path: String) { self.init(Array(path.utf8CString)) }

  /// nil: nothing is there, or it cannot be asked.
  fileprivate init?(_ path: [CChar]) {
    var information = statx()
    // Asked for nothing but the number: since Linux 6.13 a sync writes a file's times as well once they were asked for,
    // and each commit asks. The array ends with a zero, and it and the structure live for the call.
    guard unsafe statx(AT_FDCWD, path, 0, CUnsignedInt(STATX_INO), &information) == 0 else { return nil }
    device = UInt64(information.stx_dev_major) << 32 | UInt64(information.stx_dev_minor)
    inode = information.stx_ino
  }
}

/// Why a file cannot be used by this process.
enum FileAccess {
  /// What failed. If rights are missing, it names the file's owner.
  static func text(_ error: Errno, at path: String) -> String {
    switch error {
    case .permissionDenied, .notPermitted, .readOnlyFileSystem: "\(error.description) (\(owner(of: path)))"
    default: error.description
    }
  }

  /// Of a database that cannot be opened or written: it may be a file beside it, or the folder, that lacks the rights.
  static func owner(ofDatabase path: String) -> String {
    let files = [path, path + "-wal", path + "-shm", StoreFolder.parent(of: path)]
    // A String lent to C lives as long as the call.
    return owner(of: files.first { unsafe access($0, R_OK | W_OK) != 0 && errno != ENOENT } ?? path)
  }

  /// Whose it is, or the nearest folder above it that can be seen, and who asks.
  static func owner(of path: String) -> String {
    var path = path
    var information = stat()
    // The string and the structure live for the call.
    while unsafe stat(path, &information) != 0, StoreFolder.parent(of: path) != path {
      path = StoreFolder.parent(of: path)
    }
    let mode = String(information.st_mode & 0o7777, radix: 8)
    return "\(path) belongs to uid \(information.st_uid), mode \(mode); this process runs as uid \(geteuid())"
  }
}

/// Runs a system call that returns a negative value on failure, and again when a signal interrupts it. The one place of
/// this target that reads
/// `errno`.
@discardableResult
func systemCall(_ call: () -> CInt) throws(Errno) -> CInt {
  while true {
    let result = call()
    if result >= 0 { return result }
    if errno != EINTR { throw Errno(rawValue: errno) }
  }
}

extension FileDescriptor {
  /// Opens a file, always close-on-exec: a handler's child must not inherit the lock.
  static func opening(
    _ path: String, _ mode: AccessMode, _ options: OpenOptions = [], permissions: FilePermissions? = nil
  ) throws(Errno) -> FileDescriptor {
    do {
      return try open(FilePath(path), mode, options: options.union(.closeOnExec), permissions: permissions)
    } catch {
      throw error as? Errno ?? .ioError
    }
  }

  /// Up to `count` bytes from `offset` on; none when they cannot be read.
  func bytes(_ count: Int, at offset: Int64 = 0) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let read = unsafe bytes.withUnsafeMutableBytes { try? unsafe self.read(fromAbsoluteOffset: offset, into: $0) }
    return Array(bytes.prefix(read ?? 0))
  }

  func sync() throws(Errno) {
    try systemCall { fsync(rawValue) }
  }
}
