import Foundation
import Glibc
import TestSupport

/// The service manager's end of sd_notify(3): a datagram socket in the file system.
final class NotifySocket {
  private let descriptor: Int32

  init(_ path: String) throws {
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    guard path.utf8.count < 108 else { throw POSIXError(.ENAMETOOLONG) }
    // 107 bytes at most, as just checked.
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: Array(path.utf8)) }
    var limit = timeval(tv_sec: 30, tv_usec: 0)
    // The pointers live for the calls.
    unsafe _ = setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    let result = unsafe withUnsafePointer(to: &address) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard result == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
  }

  deinit { close(descriptor) }

  /// The next message; empty when none comes for half a minute.
  func next() -> String {
    var bytes = [UInt8](repeating: 0, count: 4096)
    // The buffer lives for the call, and its own count bounds it.
    let count = resumed { unsafe bytes.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) } }
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
  }
}
