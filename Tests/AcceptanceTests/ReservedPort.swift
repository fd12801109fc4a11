import Foundation
import Testing

/// A port of 127.0.0.1 for a child that cannot say which one the kernel picked for it.
///
/// It stays bound, without listening, until the child is gone. The kernel hands it to nobody who asks for any port, and
/// lets a socket with SO_REUSEADDR, which nginx and HAProxy set, listen on it.
final class ReservedPort {
  let number: UInt16
  private let descriptor: Int32

  init() throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var yes: Int32 = 1
    unsafe _ = setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = descriptor
    // `sockaddr_in` is the kernel's form of a `sockaddr` of this family, and `size` is its size.
    let result = unsafe withUnsafeMutablePointer(to: &name) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(descriptor, $0, size) | getsockname(descriptor, $0, &size)
      }
    }
    number = UInt16(bigEndian: name.sin_port)
    try #require(result == 0 && number != 0, "errno \(errno)")
  }

  deinit { close(descriptor) }
}
