internal import Glibc

/// One server per folder. The kernel drops the lock with the process, also on kill -9; the file itself stays, because
/// removing it would let two servers lock two files of the same name.
struct StoreLock: ~Copyable {
  private let descriptor: FileDescriptor

  init(_ folder: StoreFolder) throws(StoreError) {
    let descriptor = try Self.open(folder)
    let number = descriptor.rawValue
    do throws(SystemError) {
      try SystemError.check { flock(number, LOCK_EX | LOCK_NB) }
    } catch  where error.code == EWOULDBLOCK {
      throw .locked(path: folder.path, pid: Self.owner(descriptor))
    } catch {
      throw .folder(path: folder.path, cause: error.text)
    }
    // Only for the next one's error message, so a failure (a full disk) does not matter.
    var pid = Array("\(getpid())\n".utf8)
    if ftruncate(number, 0) == 0 {
      // `pid` outlives the call, and the count is its own.
      _ = unsafe pwrite(number, &pid, pid.count, 0)
    }
    self.descriptor = descriptor
  }

  /// Lets another server in, before this value goes.
  borrowing func release() {
    _ = flock(descriptor.rawValue, LOCK_UN)
  }

  private static func open(_ folder: StoreFolder) throws(StoreError) -> FileDescriptor {
    do throws(SystemError) {
      return try FileDescriptor(opening: folder.lock, O_RDWR | O_CREAT, mode: 0o600)
    } catch {
      throw .folder(path: folder.path, cause: error.text)
    }
  }

  private static func owner(_ descriptor: borrowing FileDescriptor) -> Int32? {
    var text = [UInt8](repeating: 0, count: 16)
    // `text` outlives the call, and the count is its own.
    let count = unsafe pread(descriptor.rawValue, &text, text.count, 0)
    guard count > 0 else { return nil }
    return Int32(String(decoding: text.prefix(count).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
  }
}
