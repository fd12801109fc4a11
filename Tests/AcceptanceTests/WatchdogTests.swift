import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

@Suite("The service manager", .timeLimit(.minutes(2)))
struct WatchdogTests {
  let folder: TemporaryFolder
  let manager: NotifySocket

  init() throws {
    folder = try TemporaryFolder()
    manager = try NotifySocket("\(folder.path)/notify.sock")
  }

  func server(_ environment: [String: String]) throws -> RunningServer {
    let own = ["NOTIFY_SOCKET": "\(folder.path)/notify.sock"]
    return try RunningServer(in: folder, environment: own.merging(environment) { $1 })
  }

  @Test func `is told of a reload, when it began and when it is done`() throws {
    let server = try server([:])
    #expect(manager.next() == "READY=1")
    server.signal(SIGHUP)
    #expect(manager.next().wholeMatch(of: /RELOADING=1\nMONOTONIC_USEC=[1-9]\d*/) != nil)
    #expect(manager.next() == "READY=1")
    server.signal(SIGTERM)
    #expect(manager.next() == "STOPPING=1")
    #expect(server.end() == 0)
  }

  @Test(arguments: ["1", "0"])
  func `hears nothing from the watchdog of another process, or of none`(pid: String) throws {
    let server = try server(["WATCHDOG_USEC": pid == "1" ? "2" : "0", "WATCHDOG_PID": pid])
    #expect(manager.next() == "READY=1")
    #expect(try server.get("/readyz").status == 200)
    server.signal(SIGTERM)
    #expect(manager.next() == "STOPPING=1")
    #expect(server.end() == 0)
  }

  @Test func `hears that the server lives, until its writer hangs, and again once that goes on`() throws {
    let server = try server(["WATCHDOG_USEC": "50000"])
    let heard = Heard(manager)
    try #require(eventually { heard.count >= 3 })
    // The writer waits for the write lock of the log (https://sqlite.org/walformat.html#wal_locks) for 5 s, or 200
    // times the interval.
    let lock = try FileLock(folder.data + "/revoked.sqlite-shm", byte: 120)
    let before = heard.count
    #expect(try server.post(Vector.sessionRevoked.text, signature: Vector.sessionRevoked.signature).status == 503)
    #expect(heard.count - before < 100)
    lock.release()
    let after = heard.count
    #expect(eventually { heard.count > after + 3 })
    server.signal(SIGTERM)
    #expect(server.end() == 0)
  }
}

/// Counts what the watchdog is told, on a thread of its own.
private final class Heard: Sendable {
  private let messages = Atomic(0)

  var count: Int { messages.load(ordering: .relaxed) }

  init(_ manager: NotifySocket) {
    // Handed over: nobody else reads from it any more.
    nonisolated(unsafe) let manager = manager
    Thread.detachNewThread { [self] in
      while case let message = unsafe manager.next(), message != "STOPPING=1", !message.isEmpty {
        if message == "WATCHDOG=1" { messages.wrappingAdd(1, ordering: .relaxed) }
      }
    }
  }
}

/// A POSIX lock on one byte of a file.
private final class FileLock {
  private let descriptor: Int32

  init(_ path: String, byte: Int) throws {
    // The string's bytes live for the call.
    descriptor = unsafe open(path, O_RDWR | O_CLOEXEC)
    var lock = flock(l_type: Int16(F_WRLCK), l_whence: Int16(SEEK_SET), l_start: byte, l_len: 1, l_pid: 0)
    // The pointer lives for the call.
    try #require(unsafe fcntl(descriptor, F_SETLKW, &lock) == 0)
  }

  func release() { close(descriptor) }
}
