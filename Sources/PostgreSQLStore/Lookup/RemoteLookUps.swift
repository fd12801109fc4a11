#if PostgreSQL
  internal import CLinux
  internal import DynamicEvents
  internal import Glibc
  internal import PostgreSQL
  internal import Storage

  /// The look-ups of one event loop: the questions of a round go out as one statement, over a connection that is the
  /// loop's own and never blocks it. Answers count only under the read lease.
  final class PipelinedLookUps: RemoteLookUps {
    /// After a connection that could not be made.
    private static let pause = Duration.milliseconds(100)

    let descriptor: CInt
    private let node: Node
    private let lease: ReadLease
    private let cutOffs: CutOffs
    private let location: String
    private let mailbox: LookUpMailbox
    private let observer: Int
    private var line: NodeConnection?
    private var statement = ""
    private var wantsToWrite = false
    /// Cut-offs up to this number are known from this connection's server. Another one may have given out the same
    /// numbers to others.
    private var covered: Int64 = 0
    private var queue = LookUpQueue()
    private var isConnecting = false
    /// What was sent is lost, as `descriptorReady` is to say.
    private var isLost = false
    private var connectAgainAt: Deadline?
    /// Nobody would learn that an answer has come.
    private var isDeaf = false

    /// - Parameter descriptor: what is waited for; -1: there was none left, and every question fails at once.
    init(_ store: PostgreSQLStore, _ lease: ReadLease, descriptor: CInt = epoll_create1(CInt(EPOLL_CLOEXEC))) {
      node = store.node
      cutOffs = store.cutOffs
      location = store.location
      self.lease = lease
      self.descriptor = descriptor
      let mailbox = LookUpMailbox()
      self.mailbox = mailbox
      observer = node.observers.add { mailbox.ring() }
      isDeaf = !control(EPOLL_CTL_ADD, mailbox.descriptor, EPOLLIN)
      if !isDeaf { connect() }
    }

    deinit {
      node.observers.remove(observer)
      if descriptor >= 0 { close(descriptor) }
    }

    // MARK: Questions

    func revocation(of session: SessionID, _ answer: @escaping (Result<Revocation?, StoreError>) -> Void) {
      ask([session]) { result in answer(result.map { $0[session] }) }
    }

    func revoked(of sessions: [SessionID], _ answer: @escaping (Result<[SessionID], StoreError>) -> Void) {
      ask(sessions) { result in answer(result.map { revoked in sessions.filter { revoked[$0] != nil } }) }
    }

    func standings(
      of tokens: [TokenClaims], at now: Timestamp, _ answer: @escaping (Result<[TokenStanding], StoreError>) -> Void
    ) {
      var sessions: [SessionID] = []
      sessions.reserveCapacity(tokens.count)
      for token in tokens {
        sessions.append(token.sid)
        if let original = token.originalSid { sessions.append(original) }
      }
      ask(sessions) { [cutOffs] result in
        answer(
          result.map { revoked in
            tokens.map { token in
              if revoked[token.sid] != nil { return .revoked }
              if let original = token.originalSid, revoked[original] != nil { return .revoked }
              return cutOffs.refuses(token, at: now) ? .cutOff : .good
            }
          })
      }
    }

    private func ask(
      _ sessions: [SessionID], _ answer: @escaping (Result<[SessionID: Revocation], StoreError>) -> Void
    ) {
      guard !isDeaf else {
        return answer(.failure(.unreachable(path: location, cause: "no file descriptor was left for look-ups")))
      }
      guard queue.ask(LookUpQueue.Question(sessions: sessions, answer: answer)) else {
        return answer(.failure(.unreachable(path: location, cause: "too many look-ups wait for the server")))
      }
    }

    func roundEnded() {
      if queue.endRound() { send() }
    }

    private func fail(_ batch: LookUpQueue.Batch) {
      for question in batch.questions {
        question.answer(.failure(.unreachable(path: location, cause: "the server does not answer look-ups")))
      }
    }

    private func answer(_ batch: LookUpQueue.Batch, _ revoked: [SessionID: Revocation], _ generation: Int) {
      let isValid = lease.covers(generation)
      for question in batch.questions {
        question.answer(isValid ? .success(revoked) : .failure(.leaseEnded(path: location)))
      }
    }

    // MARK: The connection

    var deadline: UInt64 {
      let next = [queue.deadline, connectAgainAt].compactMap { $0 }.min()
      guard let next else { return .max }
      // The loop's clock stands still while the machine sleeps; a deadline then comes late by as much.
      let now = Deadline.now
      // Before any time that the loop took as its own a moment ago.
      guard now < next else { return 0 }
      var time = timespec()
      // Cannot fail for a clock that the kernel has.
      unsafe _ = clock_gettime(CLOCK_MONOTONIC, &time)
      let monotonic = UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
      return monotonic + (next.nanoseconds - now.nanoseconds)
    }

    func descriptorReady() {
      for result in mailbox.take() { connected(result) }
      if let line, isLost || !line.isUsable { lost() }
      if line != nil { receive() }
      if queue.sent?.deadline.hasPassed == true {
        // A server that does not answer is none.
        if let line { node.end(line.generation) }
        lost()
      }
      while let batch = queue.takeOverdue() { fail(batch) }
      if let time = connectAgainAt, time.hasPassed { connect() }
      if line != nil { send() }
    }

    private func connect() {
      guard !isConnecting, line == nil else { return }
      isConnecting = true
      connectAgainAt = nil
      mailbox.connect(node)
    }

    private func connected(_ result: LookUpMailbox.Result) {
      isConnecting = false
      guard case .success(let (line, statement)) = result, line.isUsable else {
        return connectAgainAt = .after(Self.pause)
      }
      guard control(EPOLL_CTL_ADD, line.connection.descriptor, EPOLLIN) else {
        return connectAgainAt = .after(Self.pause)
      }
      self.line = line
      self.statement = statement
      wantsToWrite = false
      covered = 0
    }

    /// What was asked is not known any more; a new connection is made.
    private func lost() {
      if let line, line.connection.isOpen {
        control(EPOLL_CTL_DEL, line.connection.descriptor, EPOLLIN)
        line.connection.close()
      }
      line = nil
      isLost = false
      if let batch = queue.takeSent() { fail(batch) }
      connect()
    }

    /// Calls no answer: a failure is left to `descriptorReady`, which is called at once.
    private func send() {
      guard let line, !isLost else { return }
      do {
        try line.use { connection in
          if let batch = queue.next {
            let parameters = LookUpStatement.parameters(batch.questions.flatMap(\.sessions), covered: covered)
            try connection.send(prepared: statement, parameters)
            queue.nextWasSent()
          }
          try flush(connection)
        }
      } catch {
        isLost = true
        mailbox.ring()
      }
    }

    private func flush(_ connection: Connection) throws(PostgreSQLError) {
      let isDone = try connection.flush()
      guard isDone == wantsToWrite else { return }
      wantsToWrite = !isDone
      let both = EPOLL_EVENTS(EPOLLIN.rawValue | EPOLLOUT.rawValue)
      control(EPOLL_CTL_MOD, connection.descriptor, isDone ? EPOLLIN : both)
    }

    private func receive() {
      guard let line else { return }
      do {
        var answered: (batch: LookUpQueue.Batch, revoked: [SessionID: Revocation])?
        defer { if let answered { answer(answered.batch, answered.revoked, line.generation) } }
        try line.use { connection in
          try connection.consume()
          try flush(connection)
          while let rows = try connection.next() {
            do throws(PostgreSQLError) {
              let (revoked, newest) = try LookUpStatement.read(rows, cutOffs)
              guard let batch = queue.takeSent() else {
                throw PostgreSQLError(.unexpected, "the server answers what was not asked")
              }
              covered = max(covered, newest)
              answered = (batch, revoked)
            } catch {
              connection.close()
              throw error
            }
          }
        }
      } catch {
        lost()
      }
    }

    /// Returns whether the kernel does it.
    @discardableResult
    private func control(_ operation: CInt, _ other: CInt, _ events: EPOLL_EVENTS) -> Bool {
      var event = unsafe epoll_event()
      unsafe event.events = events.rawValue
      // The event lives for the call.
      return unsafe epoll_ctl(descriptor, operation, other, &event) == 0
    }
  }
#endif
