internal import CLinux
internal import Glibc

/// The system calls of the server. `errno` is read here and nowhere else, EINTR loops here, and waiting is a value: it
/// is what a non-blocking socket says most of the time, hence no error.
enum SystemCall {
  enum Outcome: Equatable {
    case bytes(Int)
    case wouldBlock
    case failed(Int32)
  }

  /// 0 bytes: the peer has shut down its sending side.
  static func receive(_ socket: Int32, into buffer: inout [UInt8]) -> Outcome {
    // The pointer is used within the closure only, with the buffer's own count.
    unsafe buffer.withUnsafeMutableBytes { unsafe outcome(recv(socket, $0.baseAddress, $0.count, 0)) }
      ?? receive(socket, into: &buffer)
  }

  /// MSG_NOSIGNAL: a peer that has gone is an outcome, not a SIGPIPE.
  static func send(_ socket: Int32, _ bytes: borrowing [UInt8], from offset: Int) -> Outcome {
    while true {
      // The pointer is used within the closure only; `offset` is at most the count.
      let result = unsafe bytes.withUnsafeBytes { buffer in
        let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[offset...])
        return unsafe outcome(Glibc.send(socket, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL)))
      }
      if let result { return result }
    }
  }

  /// A connection, non-blocking and closed on exec; `.bytes` carries its descriptor.
  static func accept(_ listener: Int32) -> Outcome {
    while true {
      // No address is asked for: behind a proxy it says nothing.
      let result = outcome(
        Int(accept4(listener, nil, nil, Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue))))
      if let result { return result }
    }
  }

  /// Answers leave in one write; Nagle's algorithm could only delay them.
  static func disableDelay(_ socket: Int32) {
    var one: Int32 = 1
    // The pointer lives for the call. On a unix socket it fails, which harms nothing.
    unsafe _ = setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
  }

  /// Has `close` send a RST, which tells the peer that it did not get everything.
  static func resetOnClose(_ socket: Int32) {
    var linger = linger(l_onoff: 1, l_linger: 0)
    // The pointer lives for the call.
    unsafe _ = setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
  }

  static func shutdownWriting(_ socket: Int32) {
    _ = shutdown(socket, Int32(SHUT_WR))
  }

  /// Never repeated on EINTR: Linux has released the descriptor by then.
  static func close(_ descriptor: Int32) {
    _ = Glibc.close(descriptor)
  }

  /// Nanoseconds of CLOCK_MONOTONIC: a clock that is set harms no deadline.
  static func monotonicNow() -> UInt64 {
    var time = timespec()
    // The pointer lives for the call.
    unsafe _ = clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
  }

  /// Seconds since 1970, for the Date field.
  static func wallClockSeconds() -> Int {
    var time = timespec()
    // The pointer lives for the call.
    unsafe _ = clock_gettime(CLOCK_REALTIME, &time)
    return time.tv_sec
  }

  static var lastError: Int32 { errno }

  static func message(_ error: Int32) -> String {
    // strerror's text is copied before another call could change it; only start-up and log lines use it.
    unsafe String(cString: strerror(error))
  }

  /// nil: interrupted, call again.
  private static func outcome(_ result: Int) -> Outcome? {
    if result >= 0 { return .bytes(result) }
    switch errno {
    case EINTR: return nil
    case EAGAIN: return .wouldBlock
    case let error: return .failed(error)
    }
  }
}
