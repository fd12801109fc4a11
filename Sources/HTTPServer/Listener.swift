internal import CLinux
internal import Glibc
internal import Synchronization

/// The sockets of one address, which listen from `listen` on. Closed (and a unix socket's file removed) when it goes.
///
/// Two steps, so that an address in use is found before anything else is begun, and nobody connects before there can be
/// answers: what connects to a socket that does not listen yet is refused at once.
package final class Listener: Sendable {
  let descriptor: Int32
  /// The real address: the port is the one that the kernel picked.
  package let address: ListenAddress
  /// Whether the socket's file is ours to remove; that of an inherited one is its maker's.
  private let ownsFile = Atomic(false)

  /// Binds to the first address that the host resolves to and that takes it. A unix socket is bound by `listen`: until
  /// it listens, its file would look to another server like one that was left behind.
  package init(_ address: ListenAddress) throws(ListenError) {
    switch address {
    case .inherited(let inherited):
      self.address = try Self.adopt(inherited)
      descriptor = inherited
    case .unix(let path):
      descriptor = try Self.makeUnix(path)
      self.address = address
    case .tcp(let host, let port):
      descriptor = try Self.bindTCP(host, port)
      self.address = .tcp(host: host, port: Self.port(of: descriptor) ?? port)
    }
  }

  deinit {
    // In this order: once the socket is closed a successor may take the path, and then the file is its own.
    if ownsFile.load(ordering: .relaxed), case .unix(let path) = address { Self.removeFile(path) }
    SystemCall.close(descriptor)
  }

  /// From now on the kernel takes connections; `EventLoop` accepts them. Called once.
  package func listen() throws(ListenError) {
    if case .unix(let path) = address, !isListening {
      try Self.bindUnix(descriptor, path)
      ownsFile.store(true, ordering: .relaxed)
      // To connect takes the right to write. The owner and the group have it, whatever the umask, so that a proxy in
      // the group gets in and nobody else; before `listen` nobody does. A folder with narrower rights narrows this too.
      guard Self.chmodSocket(path) else { throw ListenError("cannot listen on \(address)", SystemCall.lastError) }
    }
    // SOMAXCONN is a wish; the kernel caps it at net.core.somaxconn. One that was inherited listens already.
    guard Glibc.listen(descriptor, 65_535) == 0 else {
      throw ListenError("cannot listen on \(address)", SystemCall.lastError)
    }
  }

  private var isListening: Bool { Self.option(SO_ACCEPTCONN, descriptor) == 1 }

  private static func bindTCP(_ host: String, _ port: UInt16) throws(ListenError) -> Int32 {
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    unsafe hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
    var found: UnsafeMutablePointer<addrinfo>? = nil
    // `found` is freed below, on every way out.
    let status = unsafe getaddrinfo(host, String(port), &hints, &found)
    guard status == 0 else {
      // gai_strerror returns a constant text.
      throw ListenError("cannot listen on \(host): \(unsafe String(cString: gai_strerror(status)))")
    }
    defer { unsafe freeaddrinfo(found) }
    var failure = ENOENT
    // IPv4 first: of `localhost`, 127.0.0.1 is what most of those who ask mean.
    for family in [AF_INET, AF_INET6] {
      var next = unsafe found
      while let candidate = unsafe next?.pointee {
        defer { unsafe next = candidate.ai_next }
        guard unsafe candidate.ai_family == family else { continue }
        // The list and what it points to live until freeaddrinfo.
        let descriptor = unsafe socket(
          candidate.ai_family, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        if descriptor >= 0 {
          // A restart must not wait for the connections of its predecessor to leave TIME_WAIT.
          enable(SO_REUSEADDR, descriptor, SOL_SOCKET)
          // `[::]` means IPv6 only, whatever the system's default: two addresses are two listeners.
          if unsafe candidate.ai_family == AF_INET6 { enable(IPV6_V6ONLY, descriptor, Int32(IPPROTO_IPV6)) }
          if unsafe bind(descriptor, candidate.ai_addr, candidate.ai_addrlen) == 0 { return descriptor }
          failure = SystemCall.lastError
          SystemCall.close(descriptor)
        } else {
          failure = SystemCall.lastError
        }
      }
    }
    throw ListenError("cannot listen on \(ListenAddress.tcp(host: host, port: port))", failure)
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

  private static func enable(_ option: Int32, _ descriptor: Int32, _ level: Int32) {
    var one: Int32 = 1
    // The pointer lives for the call.
    unsafe _ = setsockopt(descriptor, level, option, &one, socklen_t(MemoryLayout<Int32>.size))
  }

  private static func port(of descriptor: Int32) -> UInt16? {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    // sockaddr_storage holds every address; sin_port and sin6_port lie at the same offset.
    return unsafe withUnsafeMutablePointer(to: &storage) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        guard unsafe getsockname(descriptor, address, &length) == 0 else { return nil }
        return unsafe pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
          unsafe UInt16(bigEndian: $0.pointee.sin_port)
        }
      }
    }
  }
}
