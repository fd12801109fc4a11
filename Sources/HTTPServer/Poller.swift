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
