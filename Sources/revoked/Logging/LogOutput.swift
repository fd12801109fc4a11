internal import Glibc
internal import Synchronization

/// The descriptor that log lines go to: where `errno` is read, and where a full or closed other end is dealt with.
struct LogOutput: ~Copyable, Sendable {
  private let descriptor: Int32
  private let broken = Atomic(false)

  init(_ descriptor: Int32) {
    self.descriptor = descriptor
    // A reader that has gone must cost its log lines, not the process: EPIPE instead of a signal. For the whole process,
    // as every socket and pipe of a server needs the same; a child must be started with the default again.
    _ = signal(SIGPIPE, SIG_IGN)
  }

  /// The other end will never take anything again.
  var isBroken: Bool { broken.load(ordering: .relaxed) }

  /// Blocks until all bytes are written or writing fails. Returns how many were written.
  func write(_ bytes: [UInt8]) -> Int {
    var written = 0
    while written < bytes.count, !isBroken {
      let rest = bytes[written...]
      // The buffer lives for the call, and the call reads `count` bytes of it at most.
      let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count >= 0 {
        written += count
        continue
      }
      switch errno {
      case EINTR: continue
      case EAGAIN: waitUntilWritable()
      case EPIPE, EBADF: broken.store(true, ordering: .relaxed)
      // A full disk or a lost terminal: these bytes are gone, the next block is tried again.
      default: return written
      }
    }
    return written
  }

  /// Somebody who shares the terminal or pipe made it non-blocking. No deadline: this thread has nothing else to do.
  private func waitUntilWritable() {
    var poller = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    // One `pollfd` is passed and one is there.
    _ = unsafe poll(&poller, 1, -1)
  }
}
