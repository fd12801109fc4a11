internal import Glibc

/// A failed system call. The one place of this target that reads `errno`, and where EINTR loops.
struct SystemError: Error {
  let code: CInt

  var text: String {
    guard let text = unsafe strerror(code) else { return "error \(code)" }
    // strerror answers a NUL-terminated string that lives until this thread's next call of it.
    return unsafe String(cString: text)
  }

  /// Runs a call that answers a negative value on failure.
  @discardableResult
  static func check(_ call: () -> CInt) throws(SystemError) -> CInt {
    while true {
      let result = call()
      if result >= 0 { return result }
      if errno != EINTR { throw SystemError(code: errno) }
    }
  }
}

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
