internal import Glibc
internal import SystemPackage

/// Runs a system call that returns a negative value on failure, and again when a signal interrupts it. The one place of this target that reads
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
