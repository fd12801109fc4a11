internal import CLinux
internal import Glibc
internal import Synchronization

/// The sockets of one address, which listen from `listen` on. Closed (and a unix socket's file removed) when it goes.
///
/// Two steps, so that an address in use is found before anything else is begun, and no client connects before there can
/// be answers: what connects to a socket that does not listen yet is refused at once.
package final class Listener: Sendable {
  /// One for each address.
  let descriptors: [Int32]
  /// The real addresses, in the same order, at least one: the port is the one that the kernel picked.
  package let addresses: [ListenAddress]
  /// Whether the socket's file is ours to remove; that of an inherited one is its maker's.
  private let ownsFile = Atomic(false)

  /// Binds to all addresses that the host resolves to and that this host has. A unix socket is bound by `listen`: until
  /// it listens, its file would look to another server like one that was left behind.
  package init(_ address: ListenAddress) throws(ListenError) {
    switch address {
    case .inherited(let inherited):
      addresses = [try Self.adopt(inherited)]
      descriptors = [inherited]
    case .unix(let path):
      descriptors = [try Self.makeUnix(path)]
      addresses = [address]
    case .tcp(let host, let port):
      (descriptors, addresses) = try Self.bindTCP(host, port)
    }
  }

  deinit {
    // In this order: once the socket is closed a successor may take the path, and then the file is its own.
    if ownsFile.load(ordering: .relaxed), case .unix(let path) = address { Self.removeFile(path) }
    for descriptor in descriptors { SystemCall.close(descriptor) }
  }

  /// The first of the addresses.
  package var address: ListenAddress { addresses[0] }

  /// From now on the kernel takes connections; `EventLoop` accepts them. Called once.
  package func listen() throws(ListenError) {
    for (descriptor, address) in zip(descriptors, addresses) {
      // One that was inherited listens already.
      if case .unix(let path) = address, Self.option(SO_ACCEPTCONN, descriptor) != 1 {
        try Self.bindUnix(descriptor, path)
        ownsFile.store(true, ordering: .relaxed)
        // To connect takes the right to write. The owner and the group have it, whatever the umask, so that a proxy in
        // the group gets in and nobody else; before `listen` nobody does. A folder with narrower rights narrows this
        // too.
        guard Self.chmodSocket(path) else { throw ListenError("cannot listen on \(address)", SystemCall.lastError) }
      }
      // SOMAXCONN is a wish; the kernel caps it at net.core.somaxconn.
      guard Glibc.listen(descriptor, 65_535) == 0 else {
        throw ListenError("cannot listen on \(address)", SystemCall.lastError)
      }
    }
  }

  private static func makeUnix(_ path: String) throws(ListenError) -> Int32 {
    if isServed(path) { throw ListenError("cannot listen on unix:\(path)", EADDRINUSE) }
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw ListenError("socket", SystemCall.lastError) }
    return descriptor
  }

  private static func bindUnix(_ descriptor: Int32, _ path: String) throws(ListenError) {
    if isSocket(path), !isServed(path) { removeFile(path) }
    var address = unixAddress(path)
    guard unsafe withSocketAddress(&address, { unsafe bind(descriptor, $0, $1) }) == 0 else {
      throw ListenError("cannot listen on unix:\(path)", SystemCall.lastError)
    }
  }

  /// What a killed predecessor left behind refuses connections; a living server answers and keeps its place.
  private static func isServed(_ path: String) -> Bool {
    guard isSocket(path) else { return false }
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
    defer { SystemCall.close(descriptor) }
    var address = unixAddress(path)
    return unsafe withSocketAddress(&address, { unsafe connect(descriptor, $0, $1) }) == 0
      || SystemCall.lastError != ECONNREFUSED
  }

  private static func unixAddress(_ path: String) -> sockaddr_un {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    // 107 bytes at most by ListenAddress; `zip` would stop there too, and the last byte stays 0.
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { buffer in
      for (index, byte) in zip(buffer.indices.dropLast(), path.utf8) { unsafe buffer[index] = byte }
    }
    return address
  }

  /// The pointer is valid within `body` only.
  private static func withSocketAddress(
    _ address: inout sockaddr_un, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) -> Int32 {
    unsafe withUnsafePointer(to: &address) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
  }

  /// Nothing but a socket is ever removed: the path may be a slip.
  private static func isSocket(_ path: String) -> Bool {
    // `stat` holds numbers only, and the pointer lives for the call.
    var information = stat()
    return unsafe lstat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFSOCK
  }

  private static func chmodSocket(_ path: String) -> Bool {
    // The string's bytes live for the call.
    unsafe chmod(path, 0o660) == 0
  }

  private static func removeFile(_ path: String) {
    // The string's bytes live for the call.
    unsafe _ = unlink(path)
  }
}

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
