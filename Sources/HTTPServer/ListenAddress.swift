internal import Bytes
internal import CLinux
internal import Glibc

/// Where a listener binds: `HOST:PORT`, `[v6]:PORT` or `unix:/path`. Port 0 lets the kernel pick one. `*` is every
/// address of the host, `[::]` as well where the kernel takes IPv4 on it, and a name all of its addresses.
public enum ListenAddress: Sendable, Equatable, CustomStringConvertible {
  /// A host (name, IPv4 or IPv6 literal without brackets) and a TCP port.
  case tcp(host: String, port: UInt16)
  /// The path of a unix domain socket; the kernel takes at most 107 bytes.
  case unix(path: String)
  /// A listening socket that the process was started with, as systemd's socket activation does it. The server takes it
  /// over, and shows its real address; no text stands for one.
  case inherited(descriptor: Int32)

  /// `nil` when the text has none of the three forms.
  public init?(_ text: String) {
    if text.hasPrefix("unix:") {
      let path = text.dropFirst("unix:".count)
      guard !path.isEmpty, path.utf8.count <= 107, !path.utf8.contains(0) else { return nil }
      self = .unix(path: String(path))
      return
    }
    guard let colon = text.lastIndex(of: ":") else { return nil }
    var host = text[..<colon]
    let digits = text[text.index(after: colon)...]
    // `UInt16("+80")` succeeds, hence the check of the digits.
    guard digits.utf8.areDigits, let port = UInt16(digits) else {
      return nil
    }
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = host.dropFirst().dropLast()
      guard host.contains(":") else { return nil }
    } else if host.contains(where: { $0 == ":" || $0 == "[" || $0 == "]" }) {
      return nil
    }
    guard !host.isEmpty, !host.utf8.contains(0) else { return nil }
    self = .tcp(host: String(host), port: port)
  }

  public var description: String {
    switch self {
    case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unix(let path): "unix:\(path)"
    case .inherited(let descriptor): "descriptor \(descriptor)"
    }
  }

  /// The address as a URL, for log lines and default request targets; a unix socket has no URL and stays `unix:/path`.
  public var url: String {
    switch self {
    case .tcp: "http://\(self)"
    case .unix, .inherited: description
    }
  }
}

/// Why a listener could not be set up: one line for the person who starts the server.
public struct ListenError: Error, Sendable, CustomStringConvertible {
  public let description: String
  /// The system's error number, 0 when there is none.
  public let code: Int32

  init(_ what: String, _ code: Int32) {
    self.code = code
    description = "\(what): \(SystemCall.message(code))"
  }

  init(_ description: String) {
    self.code = 0
    self.description = description
  }
}

extension Listener {
  /// Binds a socket to each address of the host, all to the same port. Those that this host does not have are left out,
  /// as `localhost` may stand for `::1` where there is no IPv6; none at all is an error.
  static func bindTCP(
    _ host: String, _ port: UInt16
  ) throws(ListenError) -> (descriptors: [Int32], addresses: [ListenAddress]) {
    let found = try TCPAddress.resolve(host, port)
    var attempts = 0
    while true {
      do throws(ListenError) {
        return try bindAll(found, .tcp(host: host, port: port))
      } catch {
        attempts += 1
        // The port that the kernel has picked for the first address may be taken on another: it picks again.
        guard port == 0, error.code == EADDRINUSE, attempts < 16 else { throw error }
      }
    }
  }

  private static func bindAll(
    _ found: [TCPAddress], _ written: ListenAddress
  ) throws(ListenError) -> (descriptors: [Int32], addresses: [ListenAddress]) {
    var descriptors: [Int32] = []
    var addresses: [ListenAddress] = []
    var missing: ListenError?
    for var address in found {
      if case .tcp(_, let port)? = addresses.first { address.setPort(port) }
      do throws(ListenError) {
        let descriptor = try address.bind(for: written)
        descriptors.append(descriptor)
        addresses.append(self.address(of: descriptor) ?? written)
      } catch {
        if error.code == EADDRNOTAVAIL || error.code == EAFNOSUPPORT {
          missing = missing ?? error
          continue
        }
        for descriptor in descriptors { SystemCall.close(descriptor) }
        throw error
      }
    }
    guard addresses.isEmpty else { return (descriptors, addresses) }
    throw missing ?? ListenError("cannot listen on \(written)", EADDRNOTAVAIL)
  }
}

/// An IPv4 or IPv6 address and a port, as the kernel takes them.
private struct TCPAddress {
  /// More than a name has whose host is this one.
  private static let most = 64

  private var storage = sockaddr_storage()
  private let length: socklen_t
  /// Takes IPv4 as well, where the kernel can.
  private var isDual = false

  /// All that the host stands for: of `*` every address of this host, of a name all of its addresses. IPv4 first: of
  /// `localhost`, 127.0.0.1 is what most of those who ask mean.
  static func resolve(_ host: String, _ port: UInt16) throws(ListenError) -> [TCPAddress] {
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    unsafe hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
    var found: UnsafeMutablePointer<addrinfo>? = nil
    // `found` is freed below, on every way out.
    let status = unsafe getaddrinfo(host == "*" ? nil : host, String(port), &hints, &found)
    guard status == 0 else {
      // gai_strerror returns a constant text.
      throw ListenError("cannot listen on \(host): \(unsafe String(cString: gai_strerror(status)))")
    }
    defer { unsafe freeaddrinfo(found) }
    var addresses: [TCPAddress] = []
    for family in [AF_INET, AF_INET6] {
      var next = unsafe found
      // The list and what it points to live until freeaddrinfo.
      while let entry = unsafe next?.pointee {
        unsafe next = entry.ai_next
        guard unsafe entry.ai_family == family,
          let address = unsafe TCPAddress(
            UnsafeRawBufferPointer(start: entry.ai_addr, count: Int(entry.ai_addrlen)), host),
          !addresses.contains(where: { $0.numeric == address.numeric })
        else { continue }
        addresses.append(address)
      }
    }
    guard addresses.count <= most else {
      throw ListenError("cannot listen on \(host): it has more than \(most) addresses")
    }
    return addresses
  }

  private init?(_ bytes: UnsafeRawBufferPointer, _ host: String) {
    guard bytes.count <= MemoryLayout<sockaddr_storage>.size else { return nil }
    length = socklen_t(bytes.count)
    // As many bytes as there are, which fit.
    unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.copyMemory(from: bytes) }
    // `*` has a socket for each family.
    isDual = host != "*" && numeric?.isUnspecifiedIPv6 == true
  }

  private var numeric: ListenAddress? { unsafe withPointer { unsafe Listener.numeric($0, length) } }

  mutating func setPort(_ port: UInt16) {
    // sockaddr_storage holds every address; sin_port and sin6_port lie at the same offset.
    unsafe withUnsafeMutablePointer(to: &storage) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
        unsafe $0.pointee.sin_port = port.bigEndian
      }
    }
  }

  /// - Parameter written: what the address was found for.
  func bind(for written: ListenAddress) throws(ListenError) -> Int32 {
    let descriptor = socket(
      Int32(storage.ss_family), Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw failure(written) }
    // A restart must not wait for the connections of its predecessor to leave TIME_WAIT.
    Self.set(SO_REUSEADDR, of: SOL_SOCKET, to: 1, descriptor)
    // Whatever the system's default is.
    if Int32(storage.ss_family) == AF_INET6 {
      Self.set(IPV6_V6ONLY, of: Int32(IPPROTO_IPV6), to: isDual ? 0 : 1, descriptor)
    }
    guard unsafe withPointer({ unsafe Glibc.bind(descriptor, $0, length) }) == 0 else {
      let failure = failure(written)
      SystemCall.close(descriptor)
      throw failure
    }
    return descriptor
  }

  private func failure(_ written: ListenAddress) -> ListenError {
    let code = SystemCall.lastError
    guard let numeric, numeric != written else { return ListenError("cannot listen on \(written)", code) }
    return ListenError("cannot listen on \(written) (\(numeric))", code)
  }

  /// The pointer is valid within `body` only.
  private func withPointer<Result>(_ body: (UnsafePointer<sockaddr>) -> Result) -> Result {
    unsafe withUnsafePointer(to: storage) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0) }
    }
  }

  private static func set(_ option: Int32, of level: Int32, to value: Int32, _ descriptor: Int32) {
    var value = value
    // The pointer lives for the call.
    unsafe _ = setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
  }
}

extension ListenAddress {
  fileprivate var isUnspecifiedIPv6: Bool {
    guard case .tcp(host: "::", port: _) = self else { return false }
    return true
  }
}
