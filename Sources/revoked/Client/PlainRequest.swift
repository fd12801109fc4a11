internal import Foundation
internal import Glibc
internal import HTTPServer

/// One GET to a listener of our own, unix sockets included, which the well-kept clients cannot reach.
enum PlainRequest {
  struct Answer {
    var status: Int
    var body: String
  }

  struct Problem: Error, CustomStringConvertible {
    let description: String
  }

  /// Readiness itself gives up after 2 s.
  private static let patience = 4
  private static let longestAnswer = 65_536

  static func get(_ path: String, from address: ListenAddress) throws -> Answer {
    let descriptor = try connect(address)
    defer { close(descriptor) }
    let request = Array("GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".utf8)
    // The buffer lives for the call. A request this short goes out whole or not at all.
    let sent = unsafe request.withUnsafeBytes { unsafe send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    guard sent == request.count else { throw problem(address) }
    var answer: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while answer.count < longestAnswer {
      // The buffer lives for the call, and its own count bounds it.
      let count = unsafe chunk.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
      if count < 0 { throw problem(address) }
      if count == 0 { break }
      answer += chunk[..<count]
    }
    let text = String(decoding: answer, as: UTF8.self)
    guard text.hasPrefix("HTTP/1."), let status = Int(text.dropFirst(9).prefix(3)),
      let end = text.range(of: "\r\n\r\n")
    else { throw Problem(description: "\(address) does not answer as revoked does") }
    return Answer(status: status, body: String(text[end.upperBound...]))
  }

  private static func connect(_ address: ListenAddress) throws -> Int32 {
    switch address {
    case .inherited:
      // Never in a configuration, which is where the address comes from.
      throw Problem(description: "\(address) is no address to connect to")
    case .unix(let path):
      var name = sockaddr_un()
      name.sun_family = sa_family_t(AF_UNIX)
      // 107 bytes at most, by ListenAddress.
      unsafe withUnsafeMutableBytes(of: &name.sun_path) { unsafe $0.copyBytes(from: Array(path.utf8)) }
      return try open(AF_UNIX, &name, address)
    case .tcp(let host, let port):
      // A wildcard is where to listen, not where to connect.
      let isV6 = host.contains(":")
      if isV6 {
        var name = sockaddr_in6()
        name.sin6_family = sa_family_t(AF_INET6)
        name.sin6_port = port.bigEndian
        // The pointers live for the call.
        guard unsafe inet_pton(AF_INET6, host == "::" ? "::1" : host, &name.sin6_addr) == 1 else {
          throw Problem(description: "\(host) is no address")
        }
        return try open(AF_INET6, &name, address)
      }
      var name = sockaddr_in()
      name.sin_family = sa_family_t(AF_INET)
      name.sin_port = port.bigEndian
      let target = host == "0.0.0.0" || host == "localhost" ? "127.0.0.1" : host
      // The pointers live for the call.
      guard unsafe inet_pton(AF_INET, target, &name.sin_addr) == 1 else {
        throw Problem(description: "private-listen names a host, \(host): give an address for a health check")
      }
      return try open(AF_INET, &name, address)
    }
  }

  private static func open<Name>(_ family: Int32, _ name: inout Name, _ address: ListenAddress) throws -> Int32 {
    let descriptor = socket(family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw problem(address) }
    var limit = timeval(tv_sec: patience, tv_usec: 0)
    let size = socklen_t(MemoryLayout<timeval>.size)
    // The pointers live for the calls. On Linux the sending limit covers connect as well.
    unsafe _ = setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
    unsafe _ = setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
    let result = unsafe withUnsafePointer(to: &name) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<Name>.size))
      }
    }
    guard result == 0 else {
      defer { close(descriptor) }
      throw problem(address)
    }
    return descriptor
  }

  private static func problem(_ address: ListenAddress) -> Problem {
    // strerror's text is copied before another call could change it; this command has one thread.
    Problem(description: "\(address) is not reachable: \(unsafe String(cString: strerror(errno)))")
  }
}
