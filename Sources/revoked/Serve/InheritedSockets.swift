internal import Glibc

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
