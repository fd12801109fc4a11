internal import CLinux
internal import Glibc
internal import Handlers

/// How the process's limit on open files is shared: connections, handlers' attempts, and everything else.
///
/// Connections get what is left, so that peers who open as many as they may leave enough for attempts and the store.
struct DescriptorShares {
  /// What the store, the loops, the listeners and the log may have open at once.
  private static let rest = 64

  /// The soft limit that the process was started with, which its children get.
  static let inherited = limit().map { Int(clamping: $0.rlim_cur) } ?? 1024

  private let total: Int

  init(total: Int) {
    self.total = max(total - Self.rest, 0)
  }

  /// Of this process, whose soft limit is raised to the hard one.
  static func ofThisProcess() -> DescriptorShares {
    _ = inherited
    guard var limit = limit() else { return DescriptorShares(total: .max) }
    if limit.rlim_cur < limit.rlim_max {
      limit.rlim_cur = limit.rlim_max
      // The pointer lives for the call.
      unsafe _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
    return DescriptorShares(total: Self.limit().map { Int(clamping: $0.rlim_cur) } ?? .max)
  }

  private static func limit() -> rlimit? {
    var limit = rlimit()
    // The pointer lives for the call.
    return unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 ? limit : nil
  }

  /// How many connections each of the two listeners may have beside these handlers, which get half of the whole at
  /// most.
  func connections(beside handlers: [HandlerDefinition]) -> Int {
    let needed = handlers.map { $0.descriptors * $0.concurrency }.reduce(0, +)
    return max(1, (total - min(needed, total / 2)) / 2)
  }

  /// How many attempts each handler may make at the same time beside so many connections of each listener.
  func concurrency(of handlers: [HandlerDefinition], besideConnections connections: Int) -> [Int] {
    let needed = handlers.map { $0.descriptors * $0.concurrency }.reduce(0, +)
    let left = max(total - 2 * min(connections, total / 2), 0)
    return handlers.map { handler in
      guard needed > left, handler.descriptors > 0 else { return handler.concurrency }
      return max(1, handler.concurrency * left / needed)
    }
  }
}

extension HandlerDefinition {
  /// How many descriptors one attempt has open at most.
  fileprivate var descriptors: Int {
    switch kind {
    case .log: 0
    case .exec: ExecHandler.descriptors
    case .forward: ForwardHandler.descriptors
    }
  }
}

/// How glibc's allocator is set up for a process that lives long and is watched for its size.
enum Allocator {
  /// What a start frees, of the index's filters above all, would stay with the process otherwise: glibc raises the
  /// threshold to the size of what is freed, so that the next one of that size comes from the heap. At ten million
  /// sessions it is 5 MB.
  ///
  /// Above any body of the usual limit: to map, touch and unmap a buffer for each request of 200 KB made a forged one
  /// cost 1.5 times the processor.
  static func bound() {
    mallopt(M_MMAP_THRESHOLD, 1 << 20)
    // As glibc would have it for that threshold. By itself the end of the heap goes back, and comes again, for each
    // such body.
    mallopt(M_TRIM_THRESHOLD, 2 << 20)
    // Each further thread of Dispatch's would keep a heap of its own.
    mallopt(M_ARENA_MAX, 1)
  }
}
