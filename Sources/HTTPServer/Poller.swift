internal import CLinux
internal import Glibc

/// epoll and the eventfd that wakes it. Everything that is Linux's own about waiting stands in this file.
@safe final class Poller {
  struct Event {
    /// The token that the descriptor was registered with.
    var token: UInt64
    var isReadable: Bool
    var isWritable: Bool
    /// The peer has ended its sending.
    var isEnded: Bool
    /// The connection is gone in both directions, whatever was asked for.
    var isHungUp: Bool
  }

  struct Interest: OptionSet {
    let rawValue: UInt32
    /// And the end of what the peer sends.
    static let read = Interest(rawValue: EPOLLIN.rawValue | EPOLLRDHUP.rawValue)
    static let write = Interest(rawValue: EPOLLOUT.rawValue)
    /// Reported once for each signal, so that nothing has to be read.
    static let signal = Interest(rawValue: EPOLLIN.rawValue | EPOLLET.rawValue)
    /// Of several loops that wait for one listener, wake one. epoll takes nothing else together with that.
    static let accept = Interest(rawValue: EPOLLIN.rawValue | EPOLLEXCLUSIVE.rawValue)
  }

  /// Events of one wait.
  static let capacity = 256

  /// The token of the eventfd; connections and listeners use others.
  static let wakeToken = UInt64.max
  /// Of the responder's descriptor.
  static let responderToken = UInt64.max - 256

  let descriptor: Int32
  let wake: WakeUp
  // epoll_event counts as unsafe for its union; the token is the only member that is ever written or read here.
  private var buffer: [epoll_event]

  init() throws(ListenError) {
    descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard descriptor >= 0 else { throw ListenError("epoll_create1", SystemCall.lastError) }
    wake = try WakeUp()
    unsafe buffer = [epoll_event](repeating: epoll_event(), count: Self.capacity)
    guard register(wake.descriptor, .signal, token: Self.wakeToken) else {
      throw ListenError("epoll_ctl", SystemCall.lastError)
    }
  }

  deinit { SystemCall.close(descriptor) }

  /// False when the kernel refuses (ENOMEM, ENOSPC); the caller gives the connection up.
  func register(_ target: Int32, _ interest: Interest, token: UInt64) -> Bool {
    control(EPOLL_CTL_ADD, target, interest, token)
  }

  func change(_ target: Int32, _ interest: Interest, token: UInt64) -> Bool {
    control(EPOLL_CTL_MOD, target, interest, token)
  }

  func remove(_ target: Int32) {
    _ = control(EPOLL_CTL_DEL, target, [], 0)
  }

  /// Waits up to `milliseconds` and returns how many events there are, at most `capacity`.
  func wait(milliseconds: Int32) -> Int {
    while true {
      // The buffer's own count bounds what the kernel writes.
      let found = unsafe buffer.withUnsafeMutableBufferPointer {
        unsafe epoll_wait(descriptor, $0.baseAddress, Int32($0.count), milliseconds)
      }
      if found >= 0 { return Int(found) }
      // A stop and continue of the process interrupts the wait too; events may be there all the same.
      guard SystemCall.lastError == EINTR else { return 0 }
    }
  }

  func event(at index: Int) -> Event {
    let gone = EPOLLHUP.rawValue | EPOLLERR.rawValue
    // `index` is checked by the array.
    let event = unsafe buffer[index]
    return unsafe Event(
      token: event.data.u64, isReadable: event.events & EPOLLIN.rawValue != 0,
      isWritable: event.events & EPOLLOUT.rawValue != 0, isEnded: event.events & EPOLLRDHUP.rawValue != 0,
      isHungUp: event.events & gone != 0)
  }

  private func control(_ operation: Int32, _ target: Int32, _ interest: Interest, _ token: UInt64) -> Bool {
    // The pointer lives for the call.
    var event = unsafe epoll_event()
    unsafe event.events = interest.rawValue
    unsafe event.data.u64 = token
    return unsafe epoll_ctl(descriptor, operation, target, &event) == 0
  }
}

/// An eventfd: any thread may signal it, the loop's epoll wakes up.
final class WakeUp: Sendable {
  let descriptor: Int32

  init() throws(ListenError) {
    descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
    guard descriptor >= 0 else { throw ListenError("eventfd", SystemCall.lastError) }
  }

  deinit { SystemCall.close(descriptor) }

  /// Cannot block: the counter would have to reach 2^64 - 1 first.
  func signal() {
    _ = eventfd_write(descriptor, 1)
  }
}

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
