#if PostgreSQL
  internal import CLinux
  internal import Glibc
  internal import PostgreSQL
  internal import Synchronization

  /// Where the connecting thread leaves what it made, and wakes the loop.
  final class LookUpMailbox: Sendable {
    /// A connection in pipeline mode, and the statement's name there.
    typealias Result = Swift.Result<(NodeConnection, String), PostgreSQLError>

    /// Readable once there is something to be taken, or `ring` was called; -1 if there was none left.
    let descriptor: CInt
    private let results = Mutex<[Result]>([])

    init() {
      descriptor = eventfd(0, CInt(EFD_NONBLOCK | EFD_CLOEXEC))
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Has a connection made, which ends here.
    func connect(_ node: Node) {
      node.connect { [self] result in
        let prepared = result.flatMap(Self.prepared)
        results.withLock { $0.append(prepared) }
        ring()
      }
    }

    private static func prepared(_ line: NodeConnection) -> Result {
      do {
        let statement = try line.use { connection in
          let deadline = Deadline.after(Node.patience)
          try connection.execute("SET plan_cache_mode = force_generic_plan", until: deadline)
          let name = try connection.prepare(LookUpStatement.sql, until: deadline)
          try connection.enterPipeline()
          return name
        }
        return .success((line, statement))
      } catch {
        return .failure(error as? PostgreSQLError ?? PostgreSQLError(.unreachable, "\(error)"))
      }
    }

    func ring() { _ = eventfd_write(descriptor, 1) }

    func take() -> [Result] {
      var count: eventfd_t = 0
      unsafe _ = eventfd_read(descriptor, &count)
      return results.withLock { results in
        defer { results = [] }
        return results
      }
    }
  }
#endif
