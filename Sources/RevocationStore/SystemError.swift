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
