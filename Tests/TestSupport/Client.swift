internal import Dispatch
internal import Foundation
internal import Glibc
package import HTTPServer

/// A plain blocking socket with a deadline on every read, so that a server that says nothing fails a test and does not
/// hang it.
package final class Client {
  private let descriptor: Int32
  /// The peer has broken off, rather than ended.
  package private(set) var wasReset = false

  /// Connects to 127.0.0.1, or to ::1 where the address is one of IPv6.
  ///
  /// - Parameter receiveBuffer: bytes that the kernel holds for a client that does not read, so that a peer soon has to
  ///   wait.
  package init(_ address: ListenAddress?, receiveBuffer: Int32? = nil) throws {
    guard case .tcp(let host, let port) = address else {
      guard case .unix(let path) = address else { throw POSIXError(.EINVAL) }
      descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
      var name = sockaddr_un()
      name.sun_family = sa_family_t(AF_UNIX)
      unsafe withUnsafeMutableBytes(of: &name.sun_path) { unsafe $0.copyBytes(from: Array(path.utf8)) }
      try Self.connect(descriptor, &name)
      return
    }
    if host.contains(":") {
      descriptor = socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
      var name = sockaddr_in6()
      name.sin6_family = sa_family_t(AF_INET6)
      name.sin6_port = port.bigEndian
      name.sin6_addr = in6addr_loopback
      try Self.connect(descriptor, &name)
      return
    }
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    if var size = receiveBuffer {
      unsafe _ = setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    }
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = port.bigEndian
    name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    try Self.connect(descriptor, &name)
    // What was sent is there. Nagle's algorithm would keep a second request back until the first is acknowledged, which
    // may be by its answer.
    var one: Int32 = 1
    unsafe _ = setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
  }

  deinit { close(descriptor) }

  private static func connect<Address>(_ descriptor: Int32, _ address: inout Address) throws {
    var limit = timeval(tv_sec: 120, tv_usec: 0)
    unsafe _ = setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    let result = unsafe withUnsafePointer(to: &address) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<Address>.size))
      }
    }
    guard result == 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
  }

  package func send(_ text: String) {
    let bytes = Array(text.utf8)
    unsafe _ = bytes.withUnsafeBytes {
      unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
    }
  }

  /// Sends the text over and over until the kernel takes no more, which it does once the peer has stopped reading.
  package func sendUntilBlocked(_ text: String) {
    let bytes = Array(text.utf8)
    // 256 MiB is more than any pair of socket buffers.
    for _ in 0..<(256 << 20) / bytes.count {
      let sent = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
      }
      if sent < 0 { return }
    }
  }

  /// Sends the text over and over, about `limit` bytes in all, unless the peer breaks off. Returns how many bytes the
  /// kernel took.
  package func send(_ text: String, upTo limit: Int) -> Int {
    let bytes = Array(text.utf8)
    var total = 0
    while total < limit {
      let sent = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if sent < 0 { break }
      total += sent
    }
    return total
  }

  /// `read` on a thread of its own: what it waits for may need the threads that all tasks share.
  package func readAside(until marker: String? = nil) async -> String {
    // The caller awaits, so that only one thread uses the client at a time.
    nonisolated(unsafe) let client = self
    return await withCheckedContinuation { continuation in
      DispatchQueue.global().async { unsafe continuation.resume(returning: client.read(until: marker)) }
    }
  }

  /// Ends the connection with a RST, as a peer that crashes or is cut off does.
  package func reset() {
    var linger = linger(l_onoff: 1, l_linger: 0)
    unsafe _ = setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
  }

  package func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// What comes until the text contains `marker`, or until the stream ends.
  package func read(until marker: String? = nil) -> String {
    var received: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = unsafe chunk.withUnsafeMutableBytes { chunk in
        resumed { unsafe recv(descriptor, chunk.baseAddress, chunk.count, 0) }
      }
      guard count > 0 else {
        wasReset = count < 0 && errno == ECONNRESET
        break
      }
      // What came before was searched; only a marker's beginning can be there.
      let unsearched = max(0, received.count - (marker?.utf8.count ?? 0))
      received += chunk[..<count]
      if let marker, String(decoding: received[unsearched...], as: UTF8.self).contains(marker) { break }
    }
    return String(decoding: received, as: UTF8.self)
  }
}

/// Makes a system call again that a signal ended. With a time limit it ends so also where the process was only stopped
/// and goes on.
package func resumed<Result: BinaryInteger>(_ call: () -> Result) -> Result {
  while true {
    let result = call()
    if result >= 0 || errno != EINTR { return result }
  }
}
