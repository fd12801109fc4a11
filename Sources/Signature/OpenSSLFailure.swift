internal import COpenSSL

/// A libcrypto call that failed: no memory, or no provider for the algorithm. Whoever meets one must refuse.
package struct OpenSSLFailure: Error, CustomStringConvertible {
  /// The libcrypto function.
  package let call: StaticString
  /// The last entry of the thread's error queue, as `openssl errstr` takes it; 0 when the queue was empty.
  package let code: UInt

  /// Empties the thread's error queue, so that a later failure does not report this one's code.
  package init(_ call: StaticString) {
    self.call = call
    code = UInt(ERR_peek_last_error())
    ERR_clear_error()
  }

  package var description: String { "\(call) failed (OpenSSL error \(String(code, radix: 16)))" }
}
