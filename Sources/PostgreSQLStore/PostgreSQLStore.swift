#if PostgreSQL
  package import DynamicEvents
  internal import Foundation
  internal import PostgreSQL
  package import Storage
  internal import Synchronization

  /// The store of N receivers on one PostgreSQL. Safe from any thread; every call blocks until the server has answered
  /// or the call's own deadline has passed.
  ///
  /// Appends are serialised by a lock that lasts as long as their transaction, and numbered under it, so that numbers
  /// follow each other in the order of the commits. Look-ups ask the primary, and count only while this process proves
  /// to itself that it is talking to it. Each handler has one leader at a time.
  package final class PostgreSQLStore: Store {
    package let location: String
    package let isNew: Bool
    package let createdAt: Timestamp
    let mode: StoreMode
    let node: Node
    let pool: ConnectionPool
    /// nil: this process does not answer look-ups.
    let pulse: Pulse?
    let writer: Writer
    let cutOffs = CutOffs()
    let epochs = Mutex(FeedEpochs.none)
    let shared: SharedSettings
    let newest = Atomic<Int64>(0)
    let heard = Heard()
    let notify: @Sendable (StoreNotice) -> Void

    package var sizes: StoreSizes? { nil }
    package var server: ServerStanding? { pulse?.standing ?? ServerStanding(proofAge: nil, waitsForStandby: nil) }

    /// A statement of a person's or a command's, and a commit.
    static let patience = Duration.seconds(10)

    /// - Parameters:
    ///   - url: `postgres://…`, as libpq reads it.
    ///   - makesStore: whether a server makes a store where there is none; if not, that is an error.
    ///   - retention: how long a revoked session is remembered after its creation. The last one that a server was
    ///     started with counts for all nodes; a shorter one than before counts from a day after `now`.
    package init(
      url: String, mode: StoreMode, makesStore: Bool = true, retention: Duration = Retention.ofDynamic,
      now: Timestamp? = nil, notify: @escaping @Sendable (StoreNotice) -> Void = { _ in }
    ) throws(StoreError) {
      let node: Node
      do throws(PostgreSQLError) {
        node = try Node(ConnectionURL(url), needsStandby: mode == .serve)
      } catch {
        throw StoreError(error, at: "the store")
      }
      let location = node.url.description
      let now = now ?? Timestamp(Date())
      do {
        let opened = try Opening(node, mode, makesStore: makesStore, retention: Retention(retention), now, notify)
        isNew = opened.isNew
        createdAt = opened.createdAt
        shared = SharedSettings(retention: opened.retention)
        newest.store(opened.lastRevocation, ordering: .relaxed)
      } catch {
        let failure = node.failure(error, at: location)
        node.close()
        throw failure
      }
      self.location = location
      self.mode = mode
      self.node = node
      self.notify = notify
      pool = ConnectionPool(node)
      writer = Writer(node)
      pulse = mode == .serve ? Pulse(node, shared, notify) : nil
      _ = node.observers.add { [weak self] in self?.forgetNumbers() }
      pulse?.start { [weak self] last, generation in self?.note(last, generation) }
    }

    package func makeLookUps() -> LookUpPath {
      .remote(PipelinedLookUps(self, pulse?.lease ?? ReadLease(node)))
    }

    /// Makes or upgrades the schema, as a role that may.
    /// - Returns: whether there was none before.
    package static func migrate(
      url: String, notify: (StoreNotice) -> Void = { _ in }
    ) throws(StoreError) -> Bool {
      do {
        let node = try Node(ConnectionURL(url))
        defer { node.close() }
        do {
          return try node.connect(until: .after(patience)).use { connection in
            try Schema.migrate(connection) { notify(.migrating(from: $0, to: $1)) }
          }
        } catch {
          throw node.failure(error, at: node.url.description)
        }
      } catch {
        throw StoreError(error, at: "the store")
      }
    }

    /// Throws what would keep a server from working with the database, and changes nothing there.
    ///
    /// - Parameter makesStore: whether it may make a store where there is none.
    package static func check(url: String, makesStore: Bool) throws(StoreError) {
      do {
        let node = try Node(ConnectionURL(url))
        defer { node.close() }
        do {
          let deadline = Deadline.after(patience)
          try node.connect(until: deadline).use { connection in
            try Opening.check(connection, node.url.description, makesStore: makesStore, until: deadline)
          }
        } catch {
          throw StoreError(error, at: node.url.description)
        }
      } catch {
        throw StoreError(error, at: "the store")
      }
    }

    /// Without its password and parameters.
    package static func redacted(_ url: String) -> String {
      (try? ConnectionURL(url))?.description ?? "postgres://…"
    }

    /// Why nothing would be sent to the URL's servers; nil: it would.
    package static func problem(_ url: String) -> String? {
      do throws(PostgreSQLError) {
        try ServerCheck.check(ConnectionURL(url))
        return nil
      } catch {
        return error.message
      }
    }

    /// What may be meant so, but is not safe.
    package static func doubt(_ url: String) -> String? {
      guard let url = try? ConnectionURL(url), !url.isLocal, url.sslMode != "verify-full" else { return nil }
      return "with sslmode=\(url.sslMode ?? "prefer") whoever is on the way to the server may read the password, and "
        + "answer look-ups in its place; write sslmode=verify-full"
    }

    package func close() throws(StoreError) {
      pulse?.stop()
      node.close()
      pool.close()
    }

    package func checkIsReliable() throws(StoreError) {
      guard let pulse, !pulse.lease.isValid else { return }
      throw .leaseEnded(path: location)
    }

    package func probeWritable() throws(StoreError) {
      // A call without events touches no table, and would succeed without any right to one.
      do {
        let deadline = Deadline.after(Self.patience)
        try writer.use(until: deadline) { try Schema.checkRights($0, location, until: deadline) }
      } catch {
        throw failure(error)
      }
      _ = try append([])
    }

    /// Reads, or changes what needs no number.
    func use<Value>(
      within patience: Duration = patience, _ body: (Connection, Deadline) throws -> Value
    ) throws(StoreError) -> Value {
      do {
        let deadline = Deadline.after(patience)
        return try pool.use(until: deadline) { try body($0, deadline) }
      } catch {
        throw failure(error)
      }
    }

    func failure(_ error: any Error) -> StoreError { node.failure(error, at: location) }

    func query<Value>(
      _ sql: String, _ parameters: [Parameter] = [], _ body: (Row) throws -> Value
    ) throws(StoreError) -> [Value] {
      try use { connection, deadline in
        try connection.query(sql, parameters, until: deadline).map(body)
      }
    }

    /// Changes something, in a transaction, under the lock that appends take.
    func change<Value>(_ body: (Connection, Deadline) throws -> Value) throws(StoreError) -> Value {
      guard mode != .inspect else { throw .readOnly(path: location) }
      do {
        let deadline = Deadline.after(Self.patience)
        return try writer.use(until: deadline) { connection in
          try connection.transaction(until: deadline) { connection in
            try connection.query("SELECT pg_advisory_xact_lock(\(Schema.appendLock))", until: deadline)
            return try body(connection, deadline)
          }
        }
      } catch {
        throw failure(error)
      }
    }
  }

  /// What all nodes share, and one may change.
  final class SharedSettings: Sendable {
    private let state: Mutex<(retention: Retention, patterns: [String])>

    init(retention: Retention) {
      state = Mutex((retention, []))
    }

    var retention: Retention {
      get { state.withLock { $0.retention } }
      set { state.withLock { $0.retention = newValue } }
    }

    /// What handlers of other nodes want.
    var patternsElsewhere: [String] {
      get { state.withLock { $0.patterns } }
      set { state.withLock { $0.patterns = newValue } }
    }
  }

  extension Node {
    /// What a failure means. A lock that is not let go, and an answer that does not come, may both be for want of the
    /// standby.
    func failure(_ error: any Error, at path: String) -> StoreError {
      if let error = error as? PostgreSQLError, error.kind == .timedOut || error.state == "55P03" {
        // A connection tells. One at a time is enough, beside a server that is slow already.
        if mayLook() { _ = try? connect(until: .after(.seconds(1))) }
        if isStandbyAway { return .unreachable(path: path, cause: ServerCheck.standbyIsAway) }
      }
      return StoreError(error, at: path)
    }
  }

  extension StoreError {
    /// What a failure means for the store at `path`.
    init(_ error: any Error, at path: String) {
      guard let error = error as? PostgreSQLError else {
        self = error as? StoreError ?? .io(path: path, cause: "\(error)")
        return
      }
      switch error.kind {
      case .unreachable, .timedOut, .warning: self = .unreachable(path: path, cause: error.message)
      case .refused: self = .misconfigured(path: path, cause: error.message)
      case .unexpected: self = .corrupt(path: path, cause: error.message)
      case .statement:
        switch error.state {
        case "53100": self = .full(path: path)
        // A lock that another one has, or a statement that took too long.
        case "55P03", "57014", "40P01": self = .busy(path: path)
        case "25006": self = .unreachable(path: path, cause: "the server is read-only")
        case "42501": self = .misconfigured(path: path, cause: "the role lacks rights: \(error.message)")
        case "3F000", "42P01", "42883": self = .missing(path: path)
        case let state where state.hasPrefix("53") || state.hasPrefix("57P") || state.hasPrefix("08"):
          self = .unreachable(path: path, cause: error.message)
        default: self = .io(path: path, cause: "\(error.message) (SQLSTATE \(error.state))")
        }
      }
    }
  }
#endif
