internal import Glibc

extension Listener {
  /// Checks a descriptor that the process was started with, before anything relies on it: it must be a listening stream
  /// socket of a family that is served here. It is made non-blocking, and closed on exec so that no handler's child
  /// keeps the port.
  static func adopt(_ descriptor: Int32) throws(ListenError) -> ListenAddress {
    guard descriptor > 2, option(SO_ACCEPTCONN, descriptor) == 1,
      option(SO_TYPE, descriptor) == Int32(SOCK_STREAM.rawValue)
    else { throw ListenError("descriptor \(descriptor) is not a listening stream socket") }
    guard let address = address(of: descriptor) else {
      throw ListenError("descriptor \(descriptor) is neither a TCP nor a unix socket with a path")
    }
    let flags = fcntl(descriptor, F_GETFL)
    guard flags >= 0, fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0, fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0
    else { throw ListenError("descriptor \(descriptor)", SystemCall.lastError) }
    return address
  }

  static func option(_ name: Int32, _ descriptor: Int32) -> Int32? {
    var value: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    // The pointers live for the call.
    return unsafe getsockopt(descriptor, SOL_SOCKET, name, &value, &length) == 0 ? value : nil
  }

  static func address(of descriptor: Int32) -> ListenAddress? {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    // sockaddr_storage holds every address, and each family's own structure is read only when the family says so.
    return unsafe withUnsafeMutablePointer(to: &storage) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        guard unsafe getsockname(descriptor, address, &length) == 0 else { return nil }
        switch unsafe Int32(address.pointee.sa_family) {
        case AF_INET, AF_INET6: return unsafe numeric(address, length)
        case AF_UNIX:
          return unsafe pointer.withMemoryRebound(to: sockaddr_un.self, capacity: 1) {
            unsafe path(in: &$0.pointee, length)
          }
        default: return nil
        }
      }
    }
  }

  static func numeric(_ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> ListenAddress? {
    var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    var port = [CChar](repeating: 0, count: 32)
    // The buffers' own counts bound what is written, and both texts are terminated.
    let status = unsafe getnameinfo(
      address, length, &host, socklen_t(host.count), &port, socklen_t(port.count), NI_NUMERICHOST | NI_NUMERICSERV)
    guard status == 0, let number = UInt16(text(port)) else { return nil }
    return .tcp(host: text(host), port: number)
  }

  /// nil for a socket without a name and for one in the abstract namespace.
  private static func path(in address: inout sockaddr_un, _ length: socklen_t) -> ListenAddress? {
    let offset = MemoryLayout<sa_family_t>.size
    let path = unsafe withUnsafeBytes(of: &address.sun_path) { bytes in
      unsafe Array(bytes.prefix(max(0, Int(length) - offset)).prefix { $0 != 0 })
    }
    return path.isEmpty ? nil : .unix(path: String(decoding: path, as: UTF8.self))
  }

  private static func text(_ characters: [CChar]) -> String {
    String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
