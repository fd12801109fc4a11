internal import Foundation
internal import Glibc
internal import Synchronization

/// A TCP proxy in front of a PostgreSQL server that knows where each message ends, and can cut a connection there.
package final class CuttingProxy: Sendable {
  package let port: UInt16
  private let descriptor: Int32
  /// Messages that are still passed on, counted in both directions; nil: all are.
  private let left = Mutex<Int?>(nil)

  package init(to server: UInt16) throws {
    let (descriptor, port) = try listen(backlog: 64)
    self.descriptor = descriptor
    self.port = port
    Thread.detachNewThread { [weak self] in
      while true {
        let visitor = accept(descriptor, nil, nil)
        if visitor < 0 { return }
        let target = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = server.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        // The address lives for the call, and its own size bounds it.
        let isConnected = unsafe withUnsafePointer(to: &address) { address in
          unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            unsafe connect(target, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
          }
        }
        guard isConnected, let self else {
          close(visitor)
          close(target)
          continue
        }
        let pair = Pair(visitor, target)
        Thread.detachNewThread { self.forward(visitor, target, pair, isClient: true) }
        Thread.detachNewThread { self.forward(target, visitor, pair, isClient: false) }
      }
    }
  }

  deinit {
    shutdown(descriptor, Int32(SHUT_RDWR))
    close(descriptor)
  }

  /// Every connection ends once so many messages have passed, counted from now over all of them and both directions;
  /// nil: none does.
  package func cut(after messages: Int?) {
    left.withLock { $0 = messages }
  }

  private func mayPass() -> Bool {
    left.withLock { left in
      guard let count = left else { return true }
      left = max(0, count - 1)
      return count > 0
    }
  }

  private func forward(_ source: Int32, _ target: Int32, _ pair: Pair, isClient: Bool) {
    defer { pair.end() }
    // A client's first message has no letter in front of its length.
    var hasLetter = !isClient
    var waiting: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = unsafe chunk.withUnsafeMutableBytes { unsafe recv(source, $0.baseAddress, $0.count, 0) }
      guard count > 0 else { return }
      waiting += chunk[..<count]
      while true {
        let start = hasLetter ? 1 : 0
        guard waiting.count >= start + 4 else { break }
        let length = waiting[start..<start + 4].reduce(0) { $0 << 8 | Int($1) } + start
        guard waiting.count >= length else { break }
        let message = Array(waiting[..<length])
        waiting.removeFirst(length)
        // The server's answer to a request for encryption is a letter alone; tests that use this ask for none.
        hasLetter = true
        guard mayPass(), Self.send(message, to: target) else { return }
      }
    }
  }

  private static func send(_ message: [UInt8], to target: Int32) -> Bool {
    var rest = message[...]
    while !rest.isEmpty {
      // The buffer lives for the call, and its own count bounds it.
      let count = unsafe rest.withUnsafeBytes {
        unsafe Glibc.send(target, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count <= 0 { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }

  /// Both ends of one connection, closed by the second thread that is done with them.
  private final class Pair: Sendable {
    private let ends: (Int32, Int32)
    private let users = Mutex(2)

    init(_ first: Int32, _ second: Int32) { ends = (first, second) }

    func end() {
      shutdown(ends.0, Int32(SHUT_RDWR))
      shutdown(ends.1, Int32(SHUT_RDWR))
      let isLast = users.withLock { users in
        users -= 1
        return users == 0
      }
      guard isLast else { return }
      close(ends.0)
      close(ends.1)
    }
  }
}
