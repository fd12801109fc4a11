internal import Foundation
internal import Glibc
internal import Synchronization

/// A request as a stand-in for another service sees it.
package struct StandInRequest: Sendable {
  package let method: String
  /// Without the query.
  package let path: String
  /// Decoded.
  package let query: [String: String]
  /// By their names in lower case.
  package let fields: [String: String]
  package let body: String
}

/// What a stand-in sends back: any bytes, so that a test can send what no server should.
package struct StandInResponse: Sendable {
  package let bytes: [UInt8]

  package init(raw text: String) { bytes = Array(text.utf8) }

  package init(_ status: Int, _ body: String, fields: [String] = []) {
    let lines = fields.map { $0 + "\r\n" }.joined()
    self.init(
      raw: "HTTP/1.1 \(status) x\r\n\(lines)Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)")
  }
}

/// A plain HTTP server for tests, on a port that the kernel picks: one request a connection, one thread for each.
package final class StandInServer: Sendable {
  package let port: UInt16
  private let descriptor: Int32
  private let isOpen = Mutex(true)
  private let answer: @Sendable (StandInRequest) -> StandInResponse

  package init(_ answer: @escaping @Sendable (StandInRequest) -> StandInResponse) throws {
    let (descriptor, port) = try listen(backlog: 64)
    self.descriptor = descriptor
    self.port = port
    self.answer = answer
    Thread.detachNewThread { [self] in accept() }
  }

  private func accept() {
    while true {
      let visitor = Glibc.accept(descriptor, nil, nil)
      if visitor < 0 { break }
      Thread.detachNewThread { [answer] in Self.serve(visitor, answer) }
    }
    isOpen.withLock { isOpen in
      isOpen = false
      close(descriptor)
    }
  }

  package var url: String { "http://127.0.0.1:\(port)" }

  /// Takes no more connections.
  package func stop() {
    // The thread that accepts closes it. Closed here, its number might be the next server's before that thread's next
    // call, which would take that server's connections.
    isOpen.withLock { isOpen in
      if isOpen { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }
  }

  private static func serve(_ visitor: Int32, _ answer: (StandInRequest) -> StandInResponse) {
    defer { close(visitor) }
    var limit = timeval(tv_sec: 60, tv_usec: 0)
    unsafe _ = setsockopt(visitor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    var received: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      if let request = request(in: received) {
        var rest = answer(request).bytes[...]
        while !rest.isEmpty {
          // The buffer lives for the call, and its own count bounds it.
          let count = unsafe rest.withUnsafeBytes {
            unsafe send(visitor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
          }
          if count <= 0 { return }
          rest = rest.dropFirst(count)
        }
        return
      }
      let count = resumed { unsafe chunk.withUnsafeMutableBytes { unsafe recv(visitor, $0.baseAddress, $0.count, 0) } }
      guard count > 0 else { return }
      received += chunk[..<count]
    }
  }

  /// `nil` until it is whole.
  private static func request(in bytes: [UInt8]) -> StandInRequest? {
    let text = String(decoding: bytes, as: UTF8.self)
    guard let end = text.range(of: "\r\n\r\n") else { return nil }
    let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
    var fields: [String: String] = [:]
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      fields[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
    }
    let body = String(text[end.upperBound...])
    guard body.utf8.count >= Int(fields["content-length"] ?? "0") ?? 0 else { return nil }
    let start = lines[0].split(separator: " ")
    guard start.count == 3 else { return nil }
    let target = URLComponents(string: "http://a\(start[1])")
    let query = (target?.queryItems ?? []).map { ($0.name, $0.value ?? "") }
    return StandInRequest(
      method: String(start[0]), path: target?.path ?? "", query: Dictionary(query) { first, _ in first },
      fields: fields,
      body: body)
  }
}

/// A port that takes connections and says nothing.
package final class SilentListener {
  package let port: UInt16
  private let descriptor: Int32

  package init() throws {
    (descriptor, port) = try listen(backlog: 8)
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
    return resumed { unsafe poll(&wanted, 1, milliseconds) } == 1
  }
}

/// A socket that listens on a port of 127.0.0.1 that the kernel picks.
package func listen(backlog: Int32) throws -> (descriptor: Int32, port: UInt16) {
  let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
  var name = sockaddr_in()
  name.sin_family = sa_family_t(AF_INET)
  name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
  var length = socklen_t(MemoryLayout<sockaddr_in>.size)
  let listens = unsafe withUnsafeMutablePointer(to: &name) { name in
    // The same bytes; sockaddr is their general form.
    unsafe name.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
      unsafe bind(descriptor, name, length) == 0 && Glibc.listen(descriptor, backlog) == 0
        && getsockname(descriptor, name, &length) == 0
    }
  }
  guard listens else { throw POSIXError(.EADDRNOTAVAIL) }
  return (descriptor, UInt16(bigEndian: name.sin_port))
}
