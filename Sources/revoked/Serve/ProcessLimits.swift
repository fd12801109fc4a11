internal import CLinux
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

/// How glibc's allocator is set up for a process that lives long and is watched for its size.
enum Allocator {
  /// What a start frees, of the index's filters above all, would stay with the process otherwise: glibc raises the threshold to the size of
  /// what is freed, so that the next one of that size comes from the heap. At ten million sessions it is 5 MB.
  ///
  /// Above any body of the usual limit: to map, touch and unmap a buffer for each request of 200 KB made a forged one cost 1.5 times the processor.
  static func bound() {
    mallopt(M_MMAP_THRESHOLD, 1 << 20)
    // As glibc would have it for that threshold. By itself the end of the heap goes back, and comes again, for each such body.
    mallopt(M_TRIM_THRESHOLD, 2 << 20)
    // Each further thread of Dispatch's would keep a heap of its own.
    mallopt(M_ARENA_MAX, 1)
  }
}
