#if PostgreSQL
  internal import Dispatch
  internal import Glibc
  internal import PostgreSQL
  internal import Storage
  internal import Synchronization

  /// A server as its connections prove it: another one, or the same after a restart or a promotion, is another.
  struct ServerIdentity: Hashable, Sendable {
    /// Of the database cluster, the same on its standbys.
    var system: String
    /// Counts the promotions.
    var timeline: String
    var startedAt: String
  }

  /// This process as one of a store's nodes: makes its connections, and sees to it that all of them are to one server.
  ///
  /// Any failure of one connection is taken for the server's, and ends all of them: a connection that still seems to
  /// work could be to a server that is no longer the primary.
  final class Node: Sendable {
    /// Tells this process from the other nodes, and people where it is: `host/process/digits`.
    let name: String
    let url: ConnectionURL
    /// Whether no connection is made while many commits wait for a standby that is away. The server keeps each that was
    /// given up until the standby is back, so that those of nodes that go on trying would take all there may be.
    private let needsStandby: Bool
    /// Few are no proof: some may wait for what others need not, such as `remote_apply`. A node's own commit tells.
    private static let mostWaitingForStandby = 8
    /// Told of each end of a generation, on the thread that noticed. Must be brief.
    let observers = Observers()
    private let state = Mutex(State())
    /// A name's look-up can take as long as the system's resolver likes, so each connection is made on a thread that
    /// nobody waits for any longer than he wants to.
    private let queue = DispatchQueue(label: "revoked.postgresql.connect", attributes: .concurrent)

    private struct State {
      /// Counts the ends.
      var generation = 0
      /// Of the server that the connections of this generation are to.
      var identity: ServerIdentity?
      /// Why the last one could not be made, and until when no other is tried.
      var failure: (error: PostgreSQLError, until: Deadline)?
      /// As the latest connection found it.
      var isStandbyAway = false
      /// When one may be made again only to find that.
      var looksAgain: Deadline?
      var isClosed = false
    }

    /// As the server lists it.
    static let application = "revoked"
    /// For one server of the URL.
    static let patience = Duration.seconds(2)
    /// After a connection that could not be made.
    private static let pause = Duration.milliseconds(200)

    init(_ url: ConnectionURL, needsStandby: Bool = false) throws(PostgreSQLError) {
      try ServerCheck.check(url)
      self.url = url
      self.needsStandby = needsStandby
      var random = SystemRandomNumberGenerator()
      name = "\(Self.host)/\(getpid())/\(String(random.next(), radix: 16))"
    }

    /// As the machine, or the container, calls itself.
    private static var host: String {
      var name = [CChar](repeating: 0, count: 256)
      // The last byte stays, so that the name ends with a zero.
      guard unsafe gethostname(&name, name.count - 1) == 0 else { return "unknown" }
      return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    var generation: Int { state.withLock { $0.generation } }

    /// Whether commits wait for a standby that is away, as far as was seen.
    var isStandbyAway: Bool { state.withLock { $0.isStandbyAway } }

    /// A commit has succeeded, or nothing is known.
    func noteStandby() { state.withLock { $0.isStandbyAway = false } }

    /// Whether none was made for a second only to find out what the server does.
    func mayLook() -> Bool {
      state.withLock { state in
        if let time = state.looksAgain, !time.hasPassed { return false }
        state.looksAgain = .after(.seconds(1))
        return true
      }
    }

    /// Ends all connections of a generation, each at its next use; what is observed learns of it now.
    func end(_ generation: Int) {
      let isEnd = state.withLock { state in
        guard state.generation == generation else { return false }
        state.generation += 1
        state.identity = nil
        return true
      }
      if isEnd { observers.tell() }
    }

    /// No connection is made from now on, and those that there are end.
    func close() {
      let generation = state.withLock { state in
        state.isClosed = true
        return state.generation
      }
      end(generation)
    }

    /// Makes a connection on a thread of its own.
    func connect(_ done: @escaping @Sendable (Result<NodeConnection, PostgreSQLError>) -> Void) {
      let (failure, generation) = state.withLock { state -> (PostgreSQLError?, Int) in
        if state.isClosed { return (PostgreSQLError(.unreachable, "the store was closed"), 0) }
        if let failure = state.failure, !failure.until.hasPassed { return (failure.error, 0) }
        return (nil, state.generation)
      }
      if let failure { return queue.async { done(.failure(failure)) } }
      queue.async { [self] in
        do throws(PostgreSQLError) {
          done(.success(try connection(generation)))
        } catch {
          state.withLock { $0.failure = (error, .after(Self.pause)) }
          done(.failure(error))
        }
      }
    }

    /// The same, for a thread that may wait.
    func connect(until deadline: Deadline) throws(PostgreSQLError) -> NodeConnection {
      let result = Handover()
      connect { result.give($0) }
      guard let made = result.take(until: deadline) else {
        throw PostgreSQLError(.timedOut, "no connection was made in time")
      }
      return try made.get()
    }

    private func connection(_ generation: Int) throws(PostgreSQLError) -> NodeConnection {
      let connection: Connection
      let identity: ServerIdentity
      let waiting: Int
      do throws(PostgreSQLError) {
        connection = try Connection(url, application: Self.application, patience: Self.patience)
        (identity, waiting) = try ServerCheck.begin(connection, until: .after(Self.patience))
      } catch {
        // Nothing is known any more of a server that does not answer.
        noteStandby()
        throw error
      }
      state.withLock { $0.isStandbyAway = waiting > 0 }
      if waiting >= Self.mostWaitingForStandby, needsStandby {
        throw PostgreSQLError(.unreachable, ServerCheck.standbyIsAway)
      }
      let isSame = state.withLock { state in
        state.failure = nil
        guard state.generation == generation, !state.isClosed else { return false }
        if state.identity == nil { state.identity = identity }
        return state.identity == identity
      }
      guard isSame else {
        end(generation)
        throw PostgreSQLError(.unreachable, "another server answers than before")
      }
      return NodeConnection(connection, of: self, generation: generation)
    }
  }

  /// One connection of a node's, with the promise that its failure ends all others. It belongs to one thread at a time.
  final class NodeConnection: @unchecked Sendable {
    // Handed from the thread that made it to the one that uses it, and not used by both.
    let connection: Connection
    let generation: Int
    private let node: Node

    init(_ connection: Connection, of node: Node, generation: Int) {
      self.connection = connection
      self.node = node
      self.generation = generation
    }

    var isUsable: Bool { connection.isOpen && node.generation == generation }

    /// Runs what uses the connection. What leaves the connection in doubt ends the node's others too.
    func use<Value>(_ body: (Connection) throws -> Value) throws -> Value {
      guard node.generation == generation else {
        connection.close()
        throw PostgreSQLError(.unreachable, "the server went away")
      }
      do {
        return try body(connection)
      } catch {
        // A WARNING tells of one commit alone.
        if (error as? PostgreSQLError)?.kind == .warning {
          connection.close()
        } else if !connection.isOpen {
          node.end(generation)
        }
        throw error
      }
    }
  }

  /// Calls that are made when something happens, whoever asked for them.
  final class Observers: Sendable {
    private let state = Mutex((calls: [Int: @Sendable () -> Void](), last: 0))

    /// - Returns: what `remove` takes.
    func add(_ call: @escaping @Sendable () -> Void) -> Int {
      state.withLock { state in
        state.last += 1
        state.calls[state.last] = call
        return state.last
      }
    }

    func remove(_ number: Int) { state.withLock { $0.calls[number] = nil } }

    func tell() {
      for call in state.withLock({ Array($0.calls.values) }) { call() }
    }
  }

  extension DispatchSemaphore {
    /// Returns whether it was signalled in time.
    func wait(until deadline: Deadline) -> Bool {
      let now = Deadline.now
      let left = now < deadline ? deadline.nanoseconds - now.nanoseconds : 0
      return wait(timeout: .now() + .nanoseconds(Int(clamping: left))) == .success
    }
  }

  /// A result on its way from one thread to another, which may have stopped waiting.
  private final class Handover: Sendable {
    private let result = Mutex<Result<NodeConnection, PostgreSQLError>?>(nil)
    private let semaphore = DispatchSemaphore(value: 0)

    func give(_ result: Result<NodeConnection, PostgreSQLError>) {
      self.result.withLock { $0 = result }
      semaphore.signal()
    }

    func take(until deadline: Deadline) -> Result<NodeConnection, PostgreSQLError>? {
      guard semaphore.wait(until: deadline) else { return nil }
      return result.withLock { result in
        defer { result = nil }
        return result
      }
    }
  }
#endif
