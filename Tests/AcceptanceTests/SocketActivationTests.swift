import Foundation
import Glibc
import HTTPServer
import TestSupport
import Testing

@Suite("Sockets that the service manager hands over", .timeLimit(.minutes(2)))
struct SocketActivationTests {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  @Test(arguments: [nil, "public:private", "private:public", "unknown:unknown"])
  func `are served, by their names or in their order, and belong to the server alone`(names: String?) throws {
    let sockets = try [ListeningSocket(), ListeningSocket()]
    let server = try ActivatedServer(folder, sockets, names: names)
    let order = names == "private:public" ? [1, 0] : [0, 1]
    #expect(server.address == sockets[order[0]].address)
    #expect(server.privateAddress == sockets[order[1]].address)
    for (address, path) in [(server.address, "/healthz"), (server.privateAddress, "/readyz")] {
      let client = try Client(address)
      client.send("GET \(path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
      #expect(client.read().hasPrefix("HTTP/1.1 200"))
    }
    for descriptor in 3...4 {
      let information = try String(contentsOfFile: "/proc/\(server.pid)/fdinfo/\(descriptor)", encoding: .utf8)
      let flags = information.split(separator: "\n").first { $0.hasPrefix("flags:") }?.split(separator: "\t").last
      let bits = try #require(flags.flatMap { Int32($0, radix: 8) })
      #expect(bits & O_NONBLOCK != 0 && bits & O_CLOEXEC != 0)
    }
    #expect(server.end() == 0)
  }

  @Test func `can be the public one alone`() throws {
    let sockets = try [ListeningSocket()]
    let server = try ActivatedServer(folder, sockets, names: nil)
    #expect(server.address == sockets[0].address)
    #expect(server.privateAddress != nil)
    #expect(server.end() == 0)
  }

  @Test func `can be a unix socket, whose file the service manager keeps`() throws {
    let path = folder.path + "/public.sock"
    let sockets = try [ListeningSocket(unix: path)]
    let server = try ActivatedServer(folder, sockets, names: "public")
    #expect(server.address == .unix(path: path))
    #expect(server.end() == 0)
    #expect(FileManager.default.fileExists(atPath: path))
  }

  @Test(arguments: ["public:public", "public:other", "public"])
  func `are refused when they are not what they should be`(names: String) throws {
    let server = try ActivatedServer(folder, [ListeningSocket(), ListeningSocket()], names: names)
    #expect(server.address == nil)
    #expect(server.end() == 78)
    #expect(server.log.text.contains("LISTEN_FDNAMES"))
  }

  @Test func `are refused when they do not listen`() throws {
    let server = try ActivatedServer(folder, [ListeningSocket(listens: false)], names: "public")
    #expect(server.end() == 74)
    #expect(server.log.text.contains("descriptor 3 is not a listening stream socket"))
  }
}

/// A socket on a port that the kernel picks; blocking and inherited, as a careless service manager's.
final class ListeningSocket {
  let handle: FileHandle
  let address: ListenAddress

  init(listens: Bool = true) throws {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = unsafe withUnsafeMutablePointer(to: &name) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(descriptor, $0, length) == 0 && (!listens || listen(descriptor, 16) == 0)
          && getsockname(descriptor, $0, &length) == 0
      }
    }
    try #require(result)
    handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    address = .tcp(host: "127.0.0.1", port: UInt16(bigEndian: name.sin_port))
  }

  init(unix path: String) throws {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    try #require(path.utf8.count < 108)
    unsafe withUnsafeMutableBytes(of: &name.sun_path) { unsafe $0.copyBytes(from: Array(path.utf8)) }
    let result = unsafe withUnsafePointer(to: &name) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0 && listen(descriptor, 16) == 0
      }
    }
    try #require(result)
    handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    address = .unix(path: path)
  }
}

/// `revoked serve`, started as a service manager starts it. Foundation lets a child inherit three descriptors only, so
/// that a shell moves them to their places and becomes the server: the variable has to name its process.
final class ActivatedServer {
  let log: LogReader
  let address: ListenAddress?
  let privateAddress: ListenAddress?
  private let process: Process

  var pid: Int32 { process.processIdentifier }

  init(_ folder: TemporaryFolder, _ sockets: [ListeningSocket], names: String?) throws {
    process = Executable.process(
      [],
      [
        "DYNAMIC_WEBHOOK_SECRET": Executable.secret, "REVOKED_LISTEN": "127.0.0.1:0",
        "REVOKED_PRIVATE_LISTEN": "127.0.0.1:0", "REVOKED_DATA": folder.data, "LISTEN_FDS": "\(sockets.count)",
      ].merging(names.map { ["LISTEN_FDNAMES": $0] } ?? [:]) { $1 })
    process.executableURL = URL(filePath: "/bin/sh")
    let moves = sockets.count == 2 ? "exec 3<&0 4>&1" : "exec 3<&0"
    process.arguments = [
      "-c", "\(moves) </dev/null >/dev/null; LISTEN_PID=$$; export LISTEN_PID; exec \"$0\" serve", Executable.url.path,
    ]
    process.standardInput = sockets[0].handle
    if sockets.count == 2 { process.standardOutput = sockets[1].handle }
    let pipe = Pipe()
    process.standardError = pipe
    try process.run()
    try pipe.fileHandleForWriting.close()
    log = LogReader(pipe.fileHandleForReading)
    address = log.address(after: "listening public=")
    privateAddress = address == nil ? nil : log.address(after: "listening private=")
  }

  deinit {
    if process.isRunning { kill(pid, SIGKILL) }
    process.waitUntilExit()
  }

  /// The exit status after a SIGTERM.
  func end() -> Int32 {
    kill(pid, SIGTERM)
    process.waitUntilExit()
    return process.terminationStatus
  }
}
