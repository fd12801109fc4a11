internal import Dispatch
internal import Foundation
internal import Glibc
internal import Receiver
internal import Synchronization

/// The listening sockets that the service manager hands over (sd_listen_fds(3)): `public` and `private` by their names,
/// or in this order when the names say nothing.
struct InheritedSockets: Equatable {
  /// The first descriptor is always this one.
  static let first: Int32 = 3

  private(set) var publicListener: Int32?
  private(set) var privateListener: Int32?

  struct Unusable: Error, Equatable, CustomStringConvertible {
    let description: String
  }

  /// Takes the three variables out of the environment, also those for another process: a child must not think that they
  /// are its own.
  static func take() throws(Unusable) -> InheritedSockets {
    let variables = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"].map { name -> String? in
      // getenv's text is copied before unsetenv; nothing else touches the environment this early.
      defer { unsafe _ = unsetenv(name) }
      guard let text = unsafe getenv(name) else { return nil }
      return unsafe String(cString: text)
    }
    return try InheritedSockets(pid: variables[0], count: variables[1], names: variables[2], own: getpid())
  }

  /// None when they are for another process.
  init(pid: String?, count: String?, names: String?, own: Int32) throws(Unusable) {
    guard let pid, let count, pid == "\(own)" else { return }
    // `Int32("+1")` succeeds, hence the count of the digits.
    guard count.utf8.count == 1, let number = Int32(count), (0...2).contains(number) else {
      throw Unusable(description: "LISTEN_FDS: at most two sockets can be served, public and private")
    }
    let descriptors = (0..<number).map { Self.first + $0 }
    let names = names?.split(separator: ":", omittingEmptySubsequences: false).map(String.init) ?? []
    guard names.contains("public") || names.contains("private") else {
      publicListener = descriptors.first
      privateListener = descriptors.dropFirst().first
      return
    }
    guard names.count == descriptors.count else {
      throw Unusable(description: "LISTEN_FDNAMES does not name as many sockets as LISTEN_FDS counts")
    }
    for (name, descriptor) in zip(names, descriptors) {
      switch name {
      case "public" where publicListener == nil: publicListener = descriptor
      case "private" where privateListener == nil: privateListener = descriptor
      default:
        throw Unusable(description: "LISTEN_FDNAMES: each of public and private may stand once, and nothing else")
      }
    }
  }
}

/// The notification protocol of sd_notify(3): one datagram to `$NOTIFY_SOCKET`.
enum ServiceNotification {
  static func send(_ state: String) {
    guard let path = ProcessInfo.processInfo.environment["NOTIFY_SOCKET"], path.utf8.count <= 107, !path.isEmpty else {
      return
    }
    let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var bytes = Array(path.utf8)
    // `@` stands for the NUL of Linux' abstract namespace.
    if bytes.first == UInt8(ascii: "@") { bytes[0] = 0 }
    // 107 bytes at most, as checked above.
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
    let message = Array(state.utf8)
    // Both pointers live for the call. A manager that does not listen misses nothing.
    unsafe withUnsafePointer(to: &address) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        _ = unsafe sendto(descriptor, message, message.count, Int32(MSG_NOSIGNAL), $0, length)
      }
    }
  }
}

/// Tells the service manager twice in each `$WATCHDOG_USEC` that the server lives (sd_watchdog_enabled(3)): not that
/// this timer runs, but that the writer and every loop have answered since it last asked.
final class Watchdog: Sendable {
  private let isAsking = Atomic(false)
  private let receiver: Receiver
  private let queue = DispatchQueue(label: "revoked.watchdog")
  // Kept so that the timer stays alive, and cancelled once; not touched elsewhere.
  private nonisolated(unsafe) let timer: any DispatchSourceTimer

  /// nil when the service manager does not watch this process.
  init?(_ receiver: Receiver, microseconds: String?, pid: String?) {
    guard let microseconds = microseconds.flatMap({ Int($0) }), microseconds > 0, microseconds < 1 << 50,
      pid == nil || pid == "\(getpid())"
    else { return nil }
    self.receiver = receiver
    unsafe timer = DispatchSource.makeTimerSource(queue: queue)
    unsafe timer.setEventHandler { [weak self] in self?.ask() }
    unsafe timer.schedule(
      deadline: .now(), repeating: .microseconds(max(1, microseconds / 2)), leeway: .milliseconds(10))
    unsafe timer.activate()
  }

  deinit { unsafe timer.cancel() }

  private func ask() {
    // One that has no answer yet is not asked again: one that hangs would only collect questions.
    guard !isAsking.exchange(true, ordering: .relaxed) else { return }
    // Away from the loop that answers last: a service manager that does not read must not stop it.
    receiver.whenAlive { [self] in queue.async { self.tell() } }
  }

  private func tell() {
    ServiceNotification.send("WATCHDOG=1")
    isAsking.store(false, ordering: .relaxed)
  }
}
