internal import Foundation
internal import Glibc

/// A port that takes connections and says nothing.
package final class SilentListener {
  package let port: UInt16
  private let descriptor: Int32

  package init() throws {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listens = unsafe withUnsafeMutablePointer(to: &name) { name in
      // The same bytes; sockaddr is their general form.
      unsafe name.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
        unsafe bind(descriptor, name, length) == 0 && listen(descriptor, 8) == 0
          && getsockname(descriptor, name, &length) == 0
      }
    }
    guard listens else { throw POSIXError(.EADDRNOTAVAIL) }
    self.descriptor = descriptor
    port = UInt16(bigEndian: name.sin_port)
  }

  deinit { close(descriptor) }

  /// Whether somebody has come and was not asked yet.
  package var hasVisitor: Bool { isReadable(descriptor, within: 0) }

  /// The first byte that the next visitor sends; nil if nobody says anything within half a minute.
  package func firstByte() -> UInt8? {
    guard isReadable(descriptor, within: 30_000) else { return nil }
    let visitor = accept(descriptor, nil, nil)
    guard visitor >= 0 else { return nil }
    defer { close(visitor) }
    var byte: UInt8 = 0
    // One byte for one byte, and only for the call.
    guard isReadable(visitor, within: 30_000), unsafe recv(visitor, &byte, 1, 0) == 1 else { return nil }
    return byte
  }

  private func isReadable(_ descriptor: Int32, within milliseconds: Int32) -> Bool {
    var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return unsafe poll(&wanted, 1, milliseconds) == 1
  }
}
