internal import Glibc
internal import Storage
internal import SystemPackage

/// One server per folder. The kernel drops the lock with the process, also on kill -9.
///
/// What is locked is the folder itself, which cannot be removed while the store is in it. A file in it says who has the
/// lock; without the file, or with another one in its place, a second server is refused all the same.
struct StoreLock: ~Copyable {
  private let descriptor: FileDescriptor

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
  borrowing func release() {
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
