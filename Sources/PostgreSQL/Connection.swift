#if PostgreSQL
  internal import CPostgreSQL
  internal import Glibc

  /// A connection to one server. Every wait has a deadline of the caller's; once it has passed, or anything else is in
  /// doubt, the connection is closed. No request is ever cancelled: a commit that waits for a standby would then
  /// succeed with a warning, on one disk only.
  ///
  /// It belongs to one thread at a time.
  @safe package final class Connection {
    // Made by `init`, finished once by `close`, and used in between only.
    private var handle: OpaquePointer?
    /// What the server warned of since the last statement began.
    private let warnings: Warnings
    /// The names of the statements that the server has prepared, by their text.
    private var prepared: [String: String] = [:]
    /// Of the server's process for this connection, as the server said when it began.
    package let backend: Int32

    /// Connects to the first of the URL's servers that takes part, on the calling thread. Names are looked up by the
    /// system's resolver, which has deadlines of its own: not for a thread that others wait for.
    ///
    /// - Parameters:
    ///   - application: as `pg_stat_activity` shows it.
    ///   - patience: for each of the servers.
    package init(_ url: ConnectionURL, application: String, patience: Duration) throws(PostgreSQLError) {
      warnings = Warnings()
      var failure = PostgreSQLError(.unreachable, "no server is named")
      for host in url.hosts {
        do throws(PostgreSQLError) {
          let handle = unsafe try Self.connect(url, host, application, warnings, until: .after(patience))
          backend = unsafe PQbackendPID(handle)
          unsafe self.handle = handle
          _ = warnings.take()
          return
        } catch {
          // A server that refuses us tells more than one that is away.
          if failure.kind != .refused { failure = error }
        }
      }
      backend = 0
      throw failure
    }

    deinit { close() }

    package var isOpen: Bool { unsafe handle != nil }

    /// Says goodbye if that is possible without waiting.
    package func close() {
      if let handle = unsafe handle { unsafe PQfinish(handle) }
      unsafe handle = nil
    }

    package var descriptor: CInt { unsafe handle == nil ? -1 : PQsocket(handle) }

    /// Whether what is sent and received is encrypted.
    package var isEncrypted: Bool { unsafe handle != nil && PQsslInUse(handle) != 0 }

    // MARK: One statement at a time

    /// Runs a statement, which the server prepares the first time, and waits for what it returns.
    @discardableResult
    package func query(
      _ sql: String, _ parameters: [Parameter] = [], until deadline: Deadline
    ) throws(PostgreSQLError) -> Rows {
      let name = try prepare(sql, until: deadline)
      _ = warnings.take()
      try sendPrepared(name, parameters)
      return try finish(until: deadline)
    }

    /// Runs statements without parameters, separated by semicolons, in one transaction unless they say otherwise.
    /// Returns what the last one did.
    @discardableResult
    package func execute(_ sql: String, until deadline: Deadline) throws(PostgreSQLError) -> Rows {
      _ = warnings.take()
      guard let handle = unsafe handle else { throw Self.closed }
      guard unsafe PQsendQuery(handle, sql) == 1 else { throw lost() }
      return try finish(until: deadline)
    }

    /// Has the server prepare a statement, if it has not. Returns the name that it has there.
    package func prepare(_ sql: String, until deadline: Deadline) throws(PostgreSQLError) -> String {
      if let name = prepared[sql] { return name }
      guard let handle = unsafe handle else { throw Self.closed }
      let name = "s\(prepared.count)"
      guard unsafe PQsendPrepare(handle, name, sql, 0, nil) == 1 else { throw lost() }
      _ = try finish(until: deadline)
      prepared[sql] = name
      return name
    }

    /// Runs `body` in a transaction: all of it or nothing. Where the commit's answer does not come, it may be either.
    @discardableResult
    package func transaction<Value>(
      until deadline: Deadline, _ body: (Connection) throws -> Value
    ) throws -> Value {
      try execute("BEGIN", until: deadline)
      let value: Value
      do {
        value = try body(self)
      } catch {
        // A connection that cannot roll back is closed, which does it too.
        if isOpen { _ = try? execute("ROLLBACK", until: deadline) }
        throw error
      }
      try execute("COMMIT", until: deadline)
      return value
    }

    /// Waits for all that the statement returns. A statement that the server refuses leaves the connection usable.
    private func finish(until deadline: Deadline) throws(PostgreSQLError) -> Rows {
      while try !flush() { try wait(for: Int16(POLLIN | POLLOUT), until: deadline) }
      var last: Rows?
      var failure: PostgreSQLError?
      while true {
        while try isBusy() { try wait(for: Int16(POLLIN), until: deadline) }
        guard let result = unsafe PQgetResult(handle) else { break }
        let rows = unsafe Rows(result)
        switch rows.status {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: last = rows
        case PGRES_FATAL_ERROR: failure = failure ?? rows.error
        default: throw lost(.unexpected)
        }
      }
      if unsafe PQstatus(handle) != CONNECTION_OK { throw lost(because: failure) }
      if let failure {
        if failure.isConnectionLost { close() }
        throw failure
      }
      if let warning = warnings.take() {
        close()
        throw warning
      }
      guard let last else { throw lost(.unexpected) }
      return last
    }

    private func wait(for events: Int16, until deadline: Deadline) throws(PostgreSQLError) {
      var place = pollfd(fd: descriptor, events: events, revents: 0)
      let ready = unsafe poll(&place, 1, deadline.milliseconds)
      if ready == 0 || ready < 0 && errno != EINTR || deadline.hasPassed {
        close()
        throw PostgreSQLError(.timedOut, "the server does not answer in time")
      }
      if place.revents != 0, place.revents & Int16(POLLOUT) != place.revents { try consume() }
    }

    // MARK: Many statements under way

    /// From now on `send`, `flush`, `consume` and `next` are all that is used.
    package func enterPipeline() throws(PostgreSQLError) {
      guard unsafe handle != nil, unsafe PQenterPipelineMode(handle) == 1 else { throw lost() }
    }

    /// Puts a statement into the pipeline, with an end behind it, so that no failure reaches the next one.
    package func send(prepared name: String, _ parameters: [Parameter]) throws(PostgreSQLError) {
      try sendPrepared(name, parameters)
      guard unsafe PQpipelineSync(handle) == 1 else { throw lost() }
    }

    /// Sends what waits. Returns whether all of it went.
    package func flush() throws(PostgreSQLError) -> Bool {
      guard unsafe handle != nil else { throw Self.closed }
      switch unsafe PQflush(handle) {
      case 0: return true
      case 1: return false
      default: throw lost()
      }
    }

    /// Takes what has come.
    package func consume() throws(PostgreSQLError) {
      guard unsafe handle != nil else { throw Self.closed }
      guard unsafe PQconsumeInput(handle) == 1 else { throw lost() }
    }

    private func isBusy() throws(PostgreSQLError) -> Bool {
      guard unsafe handle != nil else { throw Self.closed }
      return unsafe PQisBusy(handle) != 0
    }

    /// What the oldest statement in the pipeline returned; nil when it has not all come. To be called again after each
    /// one that is not nil.
    package func next() throws(PostgreSQLError) -> Rows? {
      while try !isBusy() {
        guard let result = unsafe PQgetResult(handle) else {
          // The end of one statement's results, or of all.
          if unsafe PQstatus(handle) != CONNECTION_OK { throw lost() }
          guard try !isBusy(), let end = unsafe PQgetResult(handle) else { return nil }
          let rows = unsafe Rows(end)
          guard rows.status == PGRES_PIPELINE_SYNC else { return try checked(rows) }
          continue
        }
        let rows = unsafe Rows(result)
        if rows.status != PGRES_PIPELINE_SYNC { return try checked(rows) }
      }
      return nil
    }

    private func checked(_ rows: Rows) throws(PostgreSQLError) -> Rows {
      switch rows.status {
      case PGRES_TUPLES_OK: return rows
      case PGRES_FATAL_ERROR:
        close()
        throw rows.error
      default: throw lost(.unexpected)
      }
    }

    // MARK: -

    private func sendPrepared(_ name: String, _ parameters: [Parameter]) throws(PostgreSQLError) {
      guard let handle = unsafe handle else { throw Self.closed }
      // One block, so that every value has an address that lasts for the call.
      var block: [UInt8] = []
      block.reserveCapacity(parameters.reduce(1) { $0 + ($1.bytes?.count ?? 0) })
      var places: [(start: Int, count: Int)?] = []
      for parameter in parameters {
        guard let bytes = parameter.bytes else {
          places.append(nil)
          continue
        }
        places.append((block.count, bytes.count))
        block += bytes
      }
      // libpq takes NULL for an address of none.
      block.append(0)
      let lengths = places.map { CInt($0?.count ?? 0) }
      let formats = [CInt](repeating: 1, count: places.count)
      let isSent = unsafe block.withUnsafeBytes { bytes in
        let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
        let values = unsafe places.map { place in
          unsafe place.flatMap { place in unsafe start.map { unsafe $0 + place.start } }
        }
        return unsafe PQsendQueryPrepared(handle, name, CInt(places.count), values, lengths, formats, 1) == 1
      }
      guard isSent else { throw lost() }
    }

    private static let closed = PostgreSQLError(.unreachable, "the connection was closed")

    /// Closes the connection. Returns the reason.
    private func lost(
      _ kind: PostgreSQLError.Kind = .unreachable, because failure: PostgreSQLError? = nil
    ) -> PostgreSQLError {
      guard let handle = unsafe handle else { return Self.closed }
      // libpq's text stays until the connection is finished.
      let text = unsafe String(cString: PQerrorMessage(handle))
      close()
      if let failure, failure.isConnectionLost { return failure }
      let line = failure?.message ?? text.split(separator: "\n").first.map(String.init) ?? "the connection was lost"
      return PostgreSQLError(kind, state: failure?.state ?? "", line)
    }
  }
#endif
