internal import Glibc

/// An open descriptor, closed when it is let go of.
struct FileDescriptor: ~Copyable {
  let rawValue: CInt

  /// Opens `path`. Always close-on-exec: a handler's child must not inherit the lock.
  init(opening path: String, _ flags: CInt, mode: mode_t = 0) throws(SystemError) {
    // A String lent to C lives as long as the call.
    rawValue = try SystemError.check { unsafe open(path, flags | O_CLOEXEC, mode) }
  }

  deinit { close(rawValue) }
}
