#if PostgreSQL
  internal import Dispatch
  internal import PostgreSQL
  internal import Synchronization

  /// Connections for whoever needs one for a moment: handlers, the feed, inspection.
  final class ConnectionPool: Sendable {
    /// Beyond it, callers wait for each other.
    static let most = 4

    private let node: Node
    private let idle = Mutex<[NodeConnection]>([])
    private let places = DispatchSemaphore(value: most)

    init(_ node: Node) {
      self.node = node
    }

    func use<Value>(until deadline: Deadline, _ body: (Connection) throws -> Value) throws -> Value {
      guard places.wait(until: deadline) else {
        throw PostgreSQLError(.timedOut, "all \(Self.most) connections are in use")
      }
      defer { places.signal() }
      let connection = try take() ?? node.connect(until: min(deadline, .after(.seconds(5))))
      let value: Value
      do {
        value = try connection.use(body)
      } catch {
        give(connection)
        throw error
      }
      give(connection)
      return value
    }

    /// One that the server has not closed meanwhile.
    private func take() -> NodeConnection? {
      while let connection = idle.withLock({ $0.popLast() }) {
        if (try? connection.use { try $0.consume() }) != nil { return connection }
      }
      return nil
    }

    private func give(_ connection: NodeConnection) {
      if connection.isUsable { idle.withLock { $0.append(connection) } }
    }

    func close() {
      idle.withLock { $0.removeAll() }
    }
  }
#endif
