internal import Glibc

/// The process's limit on open files, which connections, the store and the handlers share.
enum DescriptorLimit {
  /// What the store, the loops, the log and the handlers may need beside the connections.
  private static let reserve = 64

  /// Raises the soft limit to the hard one, and returns how many connections each of the two listeners may then have.
  static func connectionsPerListener() -> Int {
    var limit = rlimit()
    // The pointers live for the calls.
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return .max }
    if limit.rlim_cur < limit.rlim_max {
      limit.rlim_cur = limit.rlim_max
      if unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) != 0 {
        unsafe _ = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
      }
    }
    return max(1, (Int(clamping: limit.rlim_cur) - reserve) / 2)
  }
}
