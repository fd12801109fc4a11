import Glibc
import TestSupport

/// A pipe in place of standard error. Its reader waits as long as a broken test takes to be noticed.
final class LogPipe: Sendable {
  // Sendable: both ends are descriptors, written once.
  let readEnd: Int32
  let writeEnd: Int32

  init() {
    var ends: [Int32] = [-1, -1]
    // `pipe` writes two descriptors, and there is room for two.
    precondition(unsafe pipe(&ends) == 0)
    (readEnd, writeEnd) = (ends[0], ends[1])
  }

  deinit {
    close(readEnd)
    close(writeEnd)
  }

  /// What is there, at least a byte of it; empty when the other end is closed or nothing came for ten seconds.
  func read() -> [UInt8] {
    var poller = pollfd(fd: readEnd, events: Int16(POLLIN), revents: 0)
    // One `pollfd` is passed and one is there.
    guard resumed({ unsafe poll(&poller, 1, 10_000) }) == 1 else { return [] }
    return unsafe [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
      // `read` writes at most the buffer's own count.
      count = unsafe max(0, Glibc.read(readEnd, buffer.baseAddress, buffer.count))
    }
  }

  /// Reads until `end` stands at the end.
  func read(upTo end: String) -> String {
    var bytes: [UInt8] = []
    while !bytes.suffix(end.utf8.count).elementsEqual(end.utf8) {
      let more = read()
      if more.isEmpty { break }
      bytes += more
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
